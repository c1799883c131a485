import { INFLUX_FIELDS, KAFKA_FIELDS, LOG_FIELDS, REDIS_FIELDS } from '@tideline/runtime';
import { z } from 'zod';

/** Environment of the gateway service. */
export const GATEWAY_CONFIG = z.object({
  /** For the count of dead letters alone. */
  ...KAFKA_FIELDS,
  ...REDIS_FIELDS,
  ...INFLUX_FIELDS,
  /** Any address but a loopback one requires TIDELINE_GATEWAY_TOKEN. */
  TIDELINE_GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  TIDELINE_GATEWAY_PORT: z.coerce
    .number('must be a port, 0 to 65535 (0: any free one)')
    .int('must be a whole number')
    .min(0, 'must be a port, 0 to 65535')
    .max(65_535, 'must be a port, 0 to 65535')
    .default(8080),
  TIDELINE_GATEWAY_TOKEN: z.string().optional(),
  ...LOG_FIELDS,
});

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;
