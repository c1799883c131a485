export { GATEWAY_CONFIG } from './config.ts';
export type { Gateway, GatewayOptions } from './gateway.ts';
export { createGateway } from './gateway.ts';
export type { GatewayStats } from './gateway-stats.ts';
export { runGateway } from './service.ts';
export { backoffMs } from './webhook/backoff.ts';
export type { PostOutcome, Receiver } from './webhook/post-alert.ts';
export { postAlert } from './webhook/post-alert.ts';
export { readSecrets, signedHeaders } from './webhook/signature.ts';
