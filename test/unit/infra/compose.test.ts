import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { FORECASTER_CONFIG } from '@tideline/forecaster';
import { GATEWAY_CONFIG } from '@tideline/gateway';
import { INGEST_CONFIG } from '@tideline/ingest';
import { parseConfig } from '@tideline/runtime';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

const ROOT = join(fileURLToPath(new URL('.', import.meta.url)), '..', '..', '..', '..');
/** Formats that the schema names and JSON Schema does not have: Go's durations, and ports as Compose writes them. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  duration: /^(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|ns))+$/,
  ports: /^(?:(?:[\d.]+|\[[\da-f:]+\]):)?(?:\d+(?:-\d+)?:)?\d+(?:-\d+)?(?:\/(?:tcp|udp))?$/,
  expose: /^\d+(?:-\d+)?(?:\/(?:tcp|udp))?$/,
  subnet_ip_address: /^[\da-f.:]+\/\d+$/,
};
const SECRET = 'a-secret-of-the-test-only';

interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, unknown>>;
  readonly profiles?: readonly string[];
  readonly deploy?: { readonly resources: { readonly reservations: { readonly devices: readonly unknown[] } } };
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function compose(): { readonly services: Readonly<Record<string, Service>>; readonly volumes: object } {
  return parse(read('docker-compose.yml'), { merge: true });
}

function schemaProblems(document: unknown): unknown[] {
  // The schema says draft 2019-09 and names its parts by `id`, as draft 4 did; nothing refers to those names.
  const { $schema: _draft, ...schema } = JSON.parse(read('test/unit/infra/compose-spec.json'), (name, value) =>
    name === 'id' && typeof value === 'string' ? undefined : value,
  );
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const [name, format] of Object.entries(FORMATS)) ajv.addFormat(name, format);
  const validate = ajv.compile(schema);
  return validate(document) ? [] : (validate.errors ?? []);
}

/** `${NAME:-default}` and `${NAME:?why}` as Compose would fill them in. */
function interpolated(environment: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replace(/\$\{\w+:-([^}]*)\}/g, '$1').replace(/\$\{\w+:\?[^}]*\}/g, SECRET),
    ]),
  );
}

test('docker-compose.yml is valid by the schema of the Compose specification', () => {
  assert.deepEqual(schemaProblems(compose()), []);
});

test('the schema check finds a misspelt key and a port that is none', () => {
  const broken = { services: { kafka: { imagee: 'apache/kafka:4.1.1', ports: [true] } } };
  assert.ok(schemaProblems(broken).length >= 2);
});

test('every port is published on the loopback address alone', () => {
  const published = Object.values(compose().services).flatMap(({ ports = [] }) => ports);
  assert.ok(published.length >= 4);
  assert.deepEqual(
    published.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port)),
    [],
  );
});

test('images are pinned to a version, services have health checks, and what they wait for exists', () => {
  const { services, volumes } = compose();
  for (const [name, service] of Object.entries(services)) {
    assert.match(service.image ?? '', /^[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*$/, `${name} has image ${service.image}`);
    assert.ok(service.healthcheck, `${name} has a health check`);
    for (const other of Object.keys(service.depends_on ?? {})) assert.ok(services[other], `${name} waits for ${other}`);
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(':');
      const there = source.startsWith('./') ? existsSync(join(ROOT, source)) : source in volumes;
      assert.ok(there, `${name} mounts ${source}`);
    }
    if (service.build) assert.ok(existsSync(join(ROOT, service.build.dockerfile)), service.build.dockerfile);
  }
});

test("each service's environment is one that the service accepts, and names nothing that no service knows", () => {
  const { services } = compose();
  const schemas = {
    ingest: INGEST_CONFIG,
    forecaster: FORECASTER_CONFIG,
    'forecaster-gpu': FORECASTER_CONFIG,
    gateway: GATEWAY_CONFIG,
  };
  const shapes = [INGEST_CONFIG, FORECASTER_CONFIG, GATEWAY_CONFIG].flatMap(({ shape }) => Object.keys(shape));
  for (const [name, schema] of Object.entries(schemas)) {
    const environment = interpolated(services[name].environment ?? {});
    parseConfig<unknown>(schema, environment);
    assert.deepEqual(
      Object.keys(environment).filter((key) => !shapes.includes(key)),
      [],
    );
    assert.deepEqual(services[name].command, [name.replace('-gpu', '')]);
  }
});

test('the health checks of our services are programs that Node parses', () => {
  for (const [name, { build, healthcheck }] of Object.entries(compose().services)) {
    if (build === undefined) continue;
    const [, node, flag, program] = healthcheck?.test ?? [];
    assert.deepEqual([node, flag], ['node', '-e'], name);
    // `$$` is Compose's way to write a dollar sign.
    new Script(program.replaceAll('$$', '$'));
  }
});

test('Redis keeps what it is given, InfluxDB indexes on disk, and the gateway demands its token', () => {
  const { redis, influxdb, gateway } = compose().services;
  const redisCommand = redis.command?.join(' ') ?? '';
  assert.match(redisCommand, /--appendonly yes/);
  assert.match(redisCommand, /--maxmemory-policy noeviction/);
  assert.equal(influxdb.environment?.INFLUXDB_DATA_INDEX_VERSION, 'tsi1');
  assert.match(gateway.environment?.TIDELINE_GATEWAY_TOKEN ?? '', /^\$\{TIDELINE_GATEWAY_TOKEN:\?/);
});

test('the GPU forecaster is in its own profile and reserves an NVIDIA device', () => {
  const gpu = compose().services['forecaster-gpu'];
  assert.deepEqual(gpu.profiles, ['gpu']);
  assert.deepEqual(gpu.deploy?.resources.reservations.devices, [{ driver: 'nvidia', count: 1, capabilities: ['gpu'] }]);
  assert.match(read('infra/docker/Dockerfile.gpu'), /npm run setup:tensorflow -- --gpu/);
});

test('the images run as a user, under an init, from the lock file', () => {
  for (const file of ['infra/docker/Dockerfile', 'infra/docker/Dockerfile.gpu']) {
    const text = read(file);
    assert.match(text, /^USER node$/m);
    assert.match(text, /^ENTRYPOINT \["\/usr\/bin\/tini"/m);
    assert.match(text, /npm ci/);
    assert.match(text, /node:22\.\d+\.\d+-/);
    assert.match(read(`${file}.dockerignore`), /^\*\*\/node_modules$/m);
  }
});
