// `npm run setup:onnx`: installs what a sentence encoder (TIDELINE_SENTENCE_ENCODER) computes with, which `npm install` leaves out for its size (120 MB).
//
// It goes to .cache/onnx, not to node_modules, which `npm ci` empties; libs/adapters looks there. The versions are those of libs/adapters/package.json.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail, ROOT } from './run.mjs';

const TIMEOUT_MS = 600_000;
const target = join(ROOT, '.cache', 'onnx');
const { peerDependencies: versions } = readJson(join(ROOT, 'libs', 'adapters', 'package.json'));
const what = Object.entries(versions).map(([name, version]) => `${name}@${version}`);

if (Object.entries(versions).every(([name, version]) => installedVersion(name) === version))
  say(`${what.join(' and ')} are there already (${target}).`);
else install();

function install() {
  // Moved into place as one: a run that is stopped leaves nothing half done, and two runs do not meet.
  const staging = `${target}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  writeFileSync(join(staging, 'package.json'), `${JSON.stringify({ name: 'onnx', private: true })}\n`);
  say(`Fetching ${what.join(' and ')} from npm ...`);
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-workspaces'];
  const result = spawnSync('npm', ['install', ...flags, ...what], {
    cwd: staging,
    stdio: ['ignore', 2, 2],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  });
  if (result.status !== 0) {
    rmSync(staging, { recursive: true, force: true });
    fail("onnx: 'npm install' failed. Check the connection to the npm registry, then run this again.");
  }
  rmSync(target, { recursive: true, force: true });
  try {
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { recursive: true, force: true });
    // Another run was faster; its work is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
  say(`installed (${target}).`);
}

function installedVersion(name) {
  const manifest = join(target, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? readJson(manifest).version : null;
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function say(line) {
  process.stderr.write(`onnx: ${line}\n`);
}
