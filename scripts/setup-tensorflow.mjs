// `npm run setup:tensorflow [-- --gpu]`: installs native TensorFlow.js, which `npm install` leaves out for its size (half a gigabyte, with a GPU more).
//
// It goes to .cache/tensorflow/<package>, not to node_modules: `npm ci` empties node_modules, and a compiled addon takes minutes to bring back.
// libs/nn looks there after node_modules.
//
// Step 1. Stop where it is there and works.
// Step 2. The stock way: the package from npm, then its own install script, which downloads libtensorflow and a prebuilt addon.
// Step 3. Where that fails (its download host is not reachable, no prebuilt addon): libtensorflow from TensorFlow's wheel on PyPI, the addon
//         compiled here against its C API.
// Step 4. Try it, then move it into place as one: a run that is stopped leaves nothing half done, and two runs do not meet.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const VERSION = '4.22.0';
/** The last TensorFlow whose C API tfjs-node 4.22 was compiled against without changes to its sources. */
const LIBTENSORFLOW_VERSION = '2.15.1';
/** Node-API version that the addon asks for. */
const NAPI = 8;
const STOCK_TIMEOUT_MS = 300_000;
const DOWNLOAD_TIMEOUT_MS = 900_000;
const COMPILE_TIMEOUT_MS = 600_000;
const PROBE_TIMEOUT_MS = 120_000;

const PROBE = `
const util = require('node:util');
// Node 23 dropped it; tfjs-node 4.22 still calls it.
util.isNullOrUndefined ??= (value) => value === null || value === undefined;
const tf = require(process.argv[1]);
const [value] = tf.matMul(tf.ones([1, 3]), tf.ones([3, 1])).dataSync();
if (tf.getBackend() !== 'tensorflow' || value !== 3) throw new Error('it computes ' + value + ' on ' + tf.getBackend());
process.stdout.write(JSON.stringify({ libtensorflow: tf.backend().binding.TF_Version, gpu: tf.backend().isUsingGpuDevice === true }));
`;

class SetupError extends Error {}

const flags = process.argv.slice(2);
const kind = flags.includes('--gpu') ? 'tfjs-node-gpu' : 'tfjs-node';
const name = `@tensorflow/${kind}`;
const target = join(ROOT, '.cache', 'tensorflow', kind);
try {
  setUp();
} catch (error) {
  say(error instanceof SetupError ? error.message : String(error?.stack ?? error));
  process.exitCode = 1;
}

function setUp() {
  const unknown = flags.find((flag) => flag !== '--gpu');
  if (unknown) fail(`Unknown option '${unknown}'. Use: npm run setup:tensorflow [-- --gpu]`);
  for (const folder of [target, ROOT]) {
    if (!existsSync(join(folder, 'node_modules', name))) continue;
    const found = probe(folder);
    if (found.works) return say(`${name} ${VERSION} works already (${found.what}, ${folder}).`);
    say(`${name} in ${folder} does not work: ${found.why}`);
  }
  const staging = `${target}.${process.pid}`;
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  try {
    say(`Fetching ${name} ${VERSION} from npm ...`);
    writeFileSync(join(staging, 'package.json'), `${JSON.stringify({ name: 'tensorflow', private: true })}\n`);
    const flagsOfNpm = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-workspaces'];
    must('npm', ['install', ...flagsOfNpm, `${name}@${VERSION}`], {
      cwd: staging,
      cure: 'Check the connection to the npm registry.',
    });
    const stock = installStock(staging);
    if (stock.works) return finish(staging, stock);
    say(`The stock install does not work here: ${stock.why}`);
    buildFromWheel(staging);
    const built = probe(staging);
    if (!built.works) fail(`${name} was compiled but does not load: ${built.why}`);
    finish(staging, built);
  } finally {
    rmSync(staging, { recursive: true, force: true });
  }
}

/** The package's own install script, as npm would run it. */
function installStock(folder) {
  say(`Trying its own install script (at most ${STOCK_TIMEOUT_MS / 60_000} minutes) ...`);
  const pkg = join(folder, 'node_modules', name);
  const path = `${join(folder, 'node_modules', '.bin')}:${process.env.PATH}`;
  const args = ['scripts/install.js', ...(kind === 'tfjs-node-gpu' ? ['gpu'] : [])];
  const result = quiet(process.execPath, args, {
    cwd: pkg,
    timeoutMs: STOCK_TIMEOUT_MS,
    env: { ...process.env, PATH: path },
  });
  if (!result.works) return result;
  return probe(folder);
}

/** libtensorflow and its C headers out of the wheel, the addon compiled against them. */
function buildFromWheel(folder) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    fail(
      `There is no other way on ${process.platform} ${process.arch}: TensorFlow's wheels fit Linux on x64. Tideline runs without it (TIDELINE_ENGINE=auto).`,
    );
  for (const [tool, args, cure] of [
    ['python3', ['-m', 'pip', '--version'], 'apt-get install python3 python3-pip'],
    ['make', ['--version'], 'apt-get install build-essential'],
    ['g++', ['--version'], 'apt-get install build-essential'],
  ])
    if (!quiet(tool, args, { timeoutMs: PROBE_TIMEOUT_MS }).works)
      fail(`'${tool} ${args.join(' ')}' does not work, the addon cannot be compiled without it. Install it: ${cure}`);
  const pkg = join(folder, 'node_modules', name);
  unpackWheel(folder, join(pkg, 'deps'));
  compile(pkg);
  for (const left of ['build', join('deps', 'include')]) rmSync(join(pkg, left), { recursive: true, force: true });
}

function unpackWheel(folder, deps) {
  const wheel = kind === 'tfjs-node-gpu' ? 'tensorflow' : 'tensorflow-cpu';
  const wheels = join(folder, 'wheel');
  say(`Fetching libtensorflow ${LIBTENSORFLOW_VERSION} from PyPI's wheel ${wheel} ...`);
  // Only the C++ libraries and headers are used, so the wheel's Python version need not be this machine's.
  const platforms = ['manylinux_2_17_x86_64', 'manylinux2014_x86_64', 'manylinux_2_27_x86_64'];
  const python = ['--python-version', '3.11', '--implementation', 'cp', '--abi', 'cp311'];
  const only = ['--no-deps', '--only-binary=:all:', ...python, ...platforms.flatMap((value) => ['--platform', value])];
  must('python3', ['-m', 'pip', 'download', '-q', ...only, '-d', wheels, `${wheel}==${LIBTENSORFLOW_VERSION}`], {
    cure: "Check the connection to PyPI (pip's index).",
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  });
  const [file] = readdirSync(wheels);
  const unpacked = join(folder, 'unpacked');
  say('Unpacking ...');
  const code = `
import sys, zipfile
wanted = ('tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2', 'tensorflow/include/tensorflow/c/',
  'tensorflow/include/tensorflow/core/platform/', 'tensorflow/include/tsl/', 'tensorflow/include/xla/tsl/')
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(sys.argv[2], [name for name in wheel.namelist() if name.startswith(wanted)])`;
  must('python3', ['-c', code, join(wheels, file), unpacked], { cure: 'Is the disk full?' });
  rmSync(wheels, { recursive: true });
  rmSync(deps, { recursive: true, force: true });
  const library = join(deps, 'lib');
  mkdirSync(library, { recursive: true });
  renameSync(join(unpacked, 'tensorflow', 'include'), join(deps, 'include'));
  // The C API lives in libtensorflow_cc; binding.gyp links with -ltensorflow and -ltensorflow_framework.
  for (const [link, so] of [
    ['libtensorflow.so', 'libtensorflow_cc.so.2'],
    ['libtensorflow_framework.so', 'libtensorflow_framework.so.2'],
  ]) {
    renameSync(join(unpacked, 'tensorflow', so), join(library, so));
    symlinkSync(so, join(library, link));
  }
  rmSync(unpacked, { recursive: true });
}

function compile(pkg) {
  const gyp = nodeGyp();
  const headers = nodeHeaders();
  say(`Compiling the addon (${headers ? `headers in ${headers}` : "Node's headers are downloaded"}) ...`);
  const defines = [
    '-Dmodule_name=tfjs_binding',
    `-Dmodule_path=${join(pkg, 'lib', `napi-v${NAPI}`)}`,
    `-Dnapi_version=${NAPI}`,
    `-Dnapi_build_version=${NAPI}`,
  ];
  must(
    process.execPath,
    [gyp, 'rebuild', '--loglevel=warn', ...(headers ? [`--nodedir=${headers}`] : []), '--', ...defines],
    {
      cwd: pkg,
      cure: "Read the compiler's message above; Node's headers are in the package libnode-dev or nodejs.",
      timeoutMs: COMPILE_TIMEOUT_MS,
    },
  );
}

/** npm brings node-gyp along. */
function nodeGyp() {
  const root = quiet('npm', ['root', '-g'], { timeoutMs: PROBE_TIMEOUT_MS }).output.trim();
  const bundled = join(root, 'npm', 'node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  if (existsSync(bundled)) return bundled;
  try {
    return createRequire(join(ROOT, 'package.json')).resolve('node-gyp/bin/node-gyp.js');
  } catch {
    return fail(`npm's node-gyp is not at '${bundled}'. Install it: npm install -g node-gyp npm`);
  }
}

/** Folder with include/node/node_api.h; null where node-gyp has to download the headers. */
function nodeHeaders() {
  const configured = process.env.NODEDIR ?? process.env.npm_config_nodedir;
  const folders = [configured, dirname(dirname(process.execPath)), '/usr', '/usr/local'];
  return folders.find((folder) => folder && existsSync(join(folder, 'include', 'node', 'node_api.h'))) ?? null;
}

function finish(staging, found) {
  rmSync(target, { recursive: true, force: true });
  try {
    renameSync(staging, target);
  } catch (error) {
    // Another run was faster; its work is as good.
    if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
  }
  const gpu =
    kind === 'tfjs-node-gpu' && !found.gpu ? " It sees no GPU on this machine: 'auto' keeps the reference engine." : '';
  say(`${name} ${VERSION} works (${found.what}, ${target}).${gpu}`);
}

/** Whether the package below `folder` loads and computes. */
function probe(folder) {
  const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' };
  const result = quiet(process.execPath, ['-e', PROBE, name], { cwd: folder, timeoutMs: PROBE_TIMEOUT_MS, env });
  if (!result.works) return result;
  const { libtensorflow, gpu } = JSON.parse(result.output.slice(result.output.lastIndexOf('{')));
  return { works: true, gpu, what: `libtensorflow ${libtensorflow}${gpu ? ', sees a GPU' : ''}` };
}

/** Runs a command and keeps its output. */
function quiet(command, args, { timeoutMs, ...options }) {
  const result = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    maxBuffer: 64e6,
    ...options,
  });
  if (result.status === 0) return { works: true, output: result.stdout };
  if (result.error?.code === 'ETIMEDOUT')
    return { works: false, output: '', why: `it took more than ${timeoutMs / 1000} s.` };
  const line = /^.*\bError\b.*$/m.exec(`${result.stderr}\n${result.stdout}`)?.[0];
  return {
    works: false,
    output: '',
    why: line ?? result.error?.message ?? `it ended with ${result.status ?? result.signal}.`,
  };
}

/** Runs a command that has to succeed; its output goes to stderr. */
function must(command, args, { cure, timeoutMs = DOWNLOAD_TIMEOUT_MS, ...options }) {
  const result = spawnSync(command, args, {
    stdio: ['ignore', 2, 2],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    ...options,
  });
  if (result.status === 0) return;
  const how = result.error ? result.error.message : `ended with ${result.status ?? result.signal}`;
  fail(
    `'${command} ${args.slice(0, 3).join(' ')} ...' failed (${how}). ${cure} Tideline also runs without it: TIDELINE_ENGINE=auto.`,
  );
}

function say(line) {
  process.stderr.write(`tensorflow: ${line}\n`);
}

/** Thrown, so that the staging folder goes before the process ends. */
function fail(message) {
  throw new SetupError(message);
}
