import { ConfigError, RetryableError, TidelineError } from '@tideline/pipeline';

/** What a person can do about an answer of the broker; each of these lasts until somebody does it. */
const CURES: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'Create the topic, or correct its name.',
  TOPIC_AUTHORIZATION_FAILED: "Grant this program's user access to the topic.",
  GROUP_AUTHORIZATION_FAILED: "Grant this program's user access to the consumer group.",
  CLUSTER_AUTHORIZATION_FAILED: "Grant this program's user access to the cluster.",
  SASL_AUTHENTICATION_FAILED: 'Check the user and password.',
  ILLEGAL_SASL_STATE: 'The brokers want a user and password (SASL).',
  UNSUPPORTED_SASL_MECHANISM: "Choose a SASL mechanism of the brokers' list.",
  INVALID_TOPIC_EXCEPTION: 'Correct the name of the topic.',
  INVALID_REPLICATION_FACTOR: 'Use a replication factor that the number of brokers allows.',
  MESSAGE_TOO_LARGE: 'Send smaller batches, or raise max.message.bytes of the topic.',
};

interface KafkaJsError {
  readonly name: string;
  readonly message: string;
  readonly type?: string;
  readonly code?: string | number;
  readonly cause?: unknown;
}

/** Turns an error of kafkajs into ours: ConfigError for what only a person can mend, RetryableError for passing trouble, itself for a bug of ours. */
export function translateKafkaError(cause: unknown, address: string): Error {
  if (cause instanceof TidelineError) return cause;
  const error = cause instanceof Error ? cause : new Error(String(cause));
  if (!error.name.startsWith('KafkaJS')) return error;
  const root = rootOf(error);
  const cure = root.type === undefined ? undefined : CURES[root.type];
  if (cure !== undefined)
    return new ConfigError([`Kafka at ${address} refused: ${root.message} (${root.type}). ${cure}`]);
  if (root.name === 'KafkaJSSASLAuthenticationError')
    return new ConfigError([`Kafka at ${address} refused to log in: ${root.message}. Check the user and password.`]);
  if (root.name === 'KafkaJSConnectionError' || root.name === 'KafkaJSConnectionClosedError')
    return new RetryableError(
      `Nothing answers as Kafka at ${address} (${root.message}). Start Kafka there, or correct the address.`,
      { cause },
    );
  return new RetryableError(`Kafka at ${address} did not do what was asked (${root.message}).`, { cause });
}

/** Kafka's name of the error (`NOT_LEADER_FOR_PARTITION`); '' where it is none of the broker's. */
export function kafkaErrorType(error: unknown): string {
  return (error instanceof Error && rootOf(error).type) || '';
}

/** Runs `work`; what it throws is translated. */
export async function withKafkaErrors<T>(address: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw translateKafkaError(cause, address);
  }
}

/** kafkajs wraps an error once for each layer of retries. */
function rootOf(error: Error): KafkaJsError {
  let root: Error = error;
  const DEPTH_MAX = 10;
  for (let depth = 0; depth < DEPTH_MAX; depth += 1) {
    if (!(root.cause instanceof Error) || !root.cause.name.startsWith('KafkaJS')) break;
    root = root.cause;
  }
  return root;
}
