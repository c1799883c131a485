import { z } from 'zod';

/** Environment of the gateway service. */
export const GATEWAY_CONFIG = z.object({
  /** For the count of dead letters alone. */
  TIDELINE_KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9092')
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, "must be 'host:port', several separated by commas")).min(1)),
  TIDELINE_DEAD_LETTER_TOPIC: z.string().min(1).default('tideline.dead-letters'),
  TIDELINE_REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "must be a Redis address such as 'redis://127.0.0.1:6379'" })
    .default('redis://127.0.0.1:6379'),
  TIDELINE_REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must be lower-case letters, digits and dashes')
    .default('tideline'),
  TIDELINE_INFLUX_URL: z
    .url({ protocol: /^https?$/, error: "must be an address such as 'http://127.0.0.1:8086'" })
    .default('http://127.0.0.1:8086'),
  TIDELINE_INFLUX_DATABASE: z
    .string()
    .regex(/^[\w-]+$/, 'must be letters, digits, underscores and dashes')
    .default('tideline'),
  TIDELINE_INFLUX_USERNAME: z.string().optional(),
  TIDELINE_INFLUX_PASSWORD: z.string().optional(),
  /** Any address but a loopback one requires TIDELINE_GATEWAY_TOKEN. */
  TIDELINE_GATEWAY_HOST: z.string().min(1).default('127.0.0.1'),
  TIDELINE_GATEWAY_PORT: z.coerce
    .number('must be a port, 0 to 65535 (0: any free one)')
    .int('must be a whole number')
    .min(0, 'must be a port, 0 to 65535')
    .max(65_535, 'must be a port, 0 to 65535')
    .default(8080),
  TIDELINE_GATEWAY_TOKEN: z.string().optional(),
  TIDELINE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;
