import { ConfigError } from '@tideline/pipeline';
import { Kafka, type KafkaConfig, logLevel } from 'kafkajs';
import { createSocketFactory } from './kafka-socket.ts';

/** Gets one line of the client's log: `error` and `warn` are for people, the fields for machines. */
export type KafkaLog = (level: 'error' | 'warn', message: string, fields: Readonly<Record<string, unknown>>) => void;

/** How to reach a Kafka cluster. */
export interface KafkaConnection {
  /** `HOST:PORT` of one or more brokers. */
  readonly brokers: readonly string[];
  /** Name of this program in the brokers' logs and quotas. */
  readonly clientId?: string;
  readonly ssl?: boolean;
  readonly sasl?: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    readonly password: string;
  };
  /** Gets what the client would print. Default: nothing is said. */
  readonly onLog?: KafkaLog;
}

/** `quick` fails within seconds (a person waits), `patient` outlives a broker's restart. */
export type KafkaPatience = 'quick' | 'patient';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const RETRY = {
  quick: { initialRetryTime: 100, maxRetryTime: 500, retries: 2 },
  patient: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 12 },
} as const satisfies Record<KafkaPatience, KafkaConfig['retry']>;

/** A client of the cluster; nothing connects yet. Throws ConfigError where an address is none. */
export function createKafkaClient(connection: KafkaConnection, patience: KafkaPatience): Kafka {
  const wrong = connection.brokers.filter((broker) => !/^(\[[0-9a-f:]+\]|[^\s:/,]+):\d{1,5}$/i.test(broker));
  if (connection.brokers.length === 0)
    throw new ConfigError(['No Kafka broker is given: name at least one HOST:PORT.']);
  if (wrong.length > 0)
    throw new ConfigError(
      wrong.map((broker) => `'${broker}' is no address of a Kafka broker: it looks like HOST:9092.`),
    );
  const { sasl, onLog } = connection;
  return new Kafka({
    brokers: [...connection.brokers],
    clientId: connection.clientId ?? 'tideline',
    ssl: connection.ssl ?? false,
    ...(sasl === undefined ? {} : { sasl: { ...sasl } as NonNullable<KafkaConfig['sasl']> }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    socketFactory: createSocketFactory(REQUEST_TIMEOUT_MS),
    retry: RETRY[patience],
    logLevel: onLog === undefined ? logLevel.NOTHING : logLevel.WARN,
    logCreator:
      () =>
      ({ level, namespace, log }) => {
        const { message, timestamp: _timestamp, ...fields } = log;
        onLog?.(level <= logLevel.ERROR ? 'error' : 'warn', message, { namespace, ...fields });
      },
  });
}

/** The brokers as messages name them. */
export function kafkaAddress(connection: KafkaConnection): string {
  return connection.brokers.join(', ');
}
