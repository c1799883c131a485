export { GATEWAY_CONFIG } from './config.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export { createGateway } from './gateway.ts';
export type { GatewayStats } from './gateway-stats.ts';
export { runGateway } from './service.ts';
