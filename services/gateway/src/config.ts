import { ALERT_FIELDS, HEALTH_FIELDS, INFLUX_FIELDS, KAFKA_FIELDS, LOG_FIELDS, REDIS_FIELDS } from '@tideline/runtime';
import { z } from 'zod';
import { isLoopback } from './access.ts';
import { readSecrets } from './webhook/signature.ts';

const WEBHOOK_FIELDS = {
  /** Where alerts are sent; none: nowhere. */
  TIDELINE_WEBHOOK_URL: z
    .string()
    .refine(isSafeReceiver, "must be an https address (http on this machine alone) without a user's name or password")
    .optional(),
  /** Keys of the signatures. Several, separated by spaces: each alert is signed with all, so that a key can be changed. */
  TIDELINE_WEBHOOK_SECRET: z
    .string()
    .transform((text) => readSecrets(text))
    .refine(
      (keys) => keys !== null,
      "must be 'whsec_' and 24 bytes or more in base64: echo whsec_$(openssl rand -base64 32)",
    )
    .optional(),
  TIDELINE_WEBHOOK_TIMEOUT_MS: z.coerce.number().int().min(100).max(25_000).default(10_000),
  /** How long an alert is tried; then it is a dead letter. */
  TIDELINE_WEBHOOK_GIVE_UP_MS: z.coerce.number().int().min(0).default(86_400_000),
};

/** Environment of the gateway service. */
const FIELDS = z.object({
  /** For the count of dead letters, and the alerts that a webhook sends. */
  ...KAFKA_FIELDS,
  ...ALERT_FIELDS,
  ...WEBHOOK_FIELDS,
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
  ...HEALTH_FIELDS,
  ...LOG_FIELDS,
});

const BOTH_OR_NEITHER = {
  path: ['TIDELINE_WEBHOOK_SECRET'],
  error: 'TIDELINE_WEBHOOK_URL and TIDELINE_WEBHOOK_SECRET belong together: set both or neither',
};

export const GATEWAY_CONFIG = FIELDS.refine(hasBothOrNeither, BOTH_OR_NEITHER);

/** The webhook alone, for the embedded mode. */
export const WEBHOOK_CONFIG = z.object(WEBHOOK_FIELDS).refine(hasBothOrNeither, BOTH_OR_NEITHER);

export type WebhookConfig = z.infer<typeof WEBHOOK_CONFIG>;

export type GatewayConfig = z.infer<typeof GATEWAY_CONFIG>;

function hasBothOrNeither(config: {
  readonly TIDELINE_WEBHOOK_URL?: string | undefined;
  readonly TIDELINE_WEBHOOK_SECRET?: readonly Buffer[] | null | undefined;
}): boolean {
  return (config.TIDELINE_WEBHOOK_URL === undefined) === (config.TIDELINE_WEBHOOK_SECRET === undefined);
}

function isSafeReceiver(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname));
}
