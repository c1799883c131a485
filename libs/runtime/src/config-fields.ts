/** Fields that several services have, in groups to be spread into a service's schema: one name means one thing everywhere. */
import { z } from 'zod';

export const REDIS_FIELDS = {
  TIDELINE_REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: "must be a Redis address such as 'redis://127.0.0.1:6379'" })
    .default('redis://127.0.0.1:6379'),
  TIDELINE_REDIS_PREFIX: z
    .string()
    .regex(/^[a-z0-9-]+$/, 'must be lower-case letters, digits and dashes')
    .default('tideline'),
};

export const KAFKA_FIELDS = {
  TIDELINE_KAFKA_BROKERS: z
    .string()
    .default('127.0.0.1:9092')
    .transform((text) => text.split(',').map((broker) => broker.trim()))
    .pipe(z.array(z.string().regex(/^[^\s:]+:\d+$/, "must be 'host:port', several separated by commas")).min(1)),
  TIDELINE_DEAD_LETTER_TOPIC: z.string().min(1).default('tideline.dead-letters'),
};

export const ALERT_FIELDS = {
  /** Where alerts are told, where a topic has rules. */
  TIDELINE_ALERT_TOPIC: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,200}$/, 'must be the name of a topic')
    .default('alerts'),
};

export const INFLUX_FIELDS = {
  TIDELINE_INFLUX_URL: z
    .url({ protocol: /^https?$/, error: "must be an address such as 'http://127.0.0.1:8086'" })
    .default('http://127.0.0.1:8086'),
  TIDELINE_INFLUX_DATABASE: z
    .string()
    .regex(/^[\w-]+$/, 'must be letters, digits, underscores and dashes')
    .default('tideline'),
  TIDELINE_INFLUX_USERNAME: z.string().optional(),
  TIDELINE_INFLUX_PASSWORD: z.string().optional(),
};

export const HEALTH_FIELDS = {
  /** Address of /live, /ready and /metrics: another than loopback only inside a closed network. */
  TIDELINE_HEALTH_HOST: z.string().min(1).default('127.0.0.1'),
  TIDELINE_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
};

export const LOG_FIELDS = {
  TIDELINE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
};
