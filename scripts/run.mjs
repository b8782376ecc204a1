// Front door of the checkout, in Node built-ins only and in syntax that an old Node reads:
//   node scripts/run.mjs start [up's arguments]   install what is missing, build the viewer, run the tour
//   node scripts/run.mjs test [suites or files]   the same, then the tests
//   node scripts/run.mjs check | fix              types and lint
//   node scripts/run.mjs hopscope ARGS            the hopscope command (this is what ./hopscope calls)
// Each step is skipped when its stamp says that nothing it reads has changed.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const cache = join(root, '.cache')

const MINIMUM_NODE = [22, 18]
const NODE_VERSION = '24.21.0'
const PNPM_VERSION = '12.21.0'
/** What `npm test` runs. The others need the original programs, a browser, Docker: `npm test -- conformance browser`. */
const DEFAULT_SUITES = ['unit', 'process', 'scenarios']
const SUITES = [...DEFAULT_SUITES, 'conformance', 'browser', 'docker', 'fresh']

const [command, ...args] = process.argv.slice(2)
try {
  const node = ensureNode()
  process.env.PATH = `${dirname(node)}:${process.env.PATH}`
  // Stripped and compiled code of earlier runs; Node does not even load its type stripper for a file it has here.
  process.env.NODE_COMPILE_CACHE ??= join(cache, 'compile')
  ensureDependencies(node)
  switch (command) {
    case 'start':
      ensureViewer(node)
      await run(node, ['apps/cli/src/main.ts', 'up', ...args])
      break
    case 'hopscope':
      if (args.includes('up') || args.includes('verify')) ensureViewer(node)
      await run(node, [join(root, 'apps/cli/src/main.ts'), ...args], { cwd: process.cwd() })
      break
    case 'test':
      ensureViewer(node)
      if (args.length === 0) await check(node)
      await test(node, args)
      break
    case 'check':
      await check(node)
      break
    case 'fix':
      await run(node, [tool('@biomejs/biome', 'bin/biome'), 'check', '--write', '.'])
      break
    default:
      fail(`unknown command ${JSON.stringify(command)}, expected start, test, check, fix or hopscope`)
  }
} catch (error) {
  fail(error instanceof Error ? error.message : String(error))
}

/** This Node when it is new enough; else one fetched through npm into the cache. Returns the executable's path. */
function ensureNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1])) return process.execPath

  // On Linux the package that is the binary itself; elsewhere the one whose script picks it.
  const plain = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch)
  const name = plain ? `node-linux-${process.arch}` : 'node'
  const folder = join(cache, 'node')
  const executable = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const works = () =>
    existsSync(executable) &&
    spawnSync(executable, ['--version'], { encoding: 'utf8' }).stdout?.trim() === `v${NODE_VERSION}`
  if (stampIs('node', NODE_VERSION) && existsSync(executable)) return executable

  say(
    `Node ${process.versions.node} is older than ${MINIMUM_NODE.join('.')}: fetching Node ${NODE_VERSION} into .cache/node`,
  )
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  npm(
    process.execPath,
    ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${NODE_VERSION}`],
    folder,
  )
  if (!works())
    throw new Error(
      `the npm package ${name}@${NODE_VERSION} did not bring a working Node; install Node ${MINIMUM_NODE.join('.')} or newer by hand`,
    )
  stamp('node', NODE_VERSION)
  return executable
}

function ensureDependencies(node) {
  const manifests = ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', 'test/package.json']
  for (const group of ['packages', 'apps']) {
    for (const name of readdirSync(join(root, group))) {
      if (existsSync(join(root, group, name, 'package.json'))) manifests.push(`${group}/${name}/package.json`)
    }
  }
  const wanted = hashOf(manifests)
  if (stampIs('dependencies', wanted) && existsSync(join(root, 'node_modules/.pnpm'))) return
  say('installing dependencies')
  npm(
    node,
    [
      'exec',
      '--yes',
      `--package=pnpm@${PNPM_VERSION}`,
      '--',
      'pnpm',
      'install',
      '--frozen-lockfile',
      '--reporter=append-only',
      '--loglevel=warn',
    ],
    root,
  )
  stamp('dependencies', wanted)
}

function ensureViewer(node) {
  const wanted = hashOf([...filesIn('apps/viewer'), ...filesIn('packages/model/src')])
  if (stampIs('viewer', wanted) && existsSync(join(root, 'apps/viewer/dist/index.html'))) return
  say('building the viewer')
  const built = spawnSync(node, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'warn'], {
    cwd: join(root, 'apps/viewer'),
    stdio: 'inherit',
  })
  if (built.status !== 0) throw new Error('the viewer did not build')
  stamp('viewer', wanted)
}

async function check(node) {
  await run(node, [tool('@biomejs/biome', 'bin/biome'), 'check', '--error-on-warnings', '.'])
  await run(node, [tool('typescript', 'bin/tsc'), '-p', '.'])
}

async function test(node, wanted) {
  const named = wanted.filter(word => SUITES.includes(word))
  const suites = wanted.includes('all') ? SUITES : named.length > 0 ? named : DEFAULT_SUITES
  const others = wanted.filter(word => !SUITES.includes(word) && word !== 'all')
  const report = join(cache, 'test', `${suites.join('-')}.json`)
  const left = SUITES.filter(suite => !suites.includes(suite) && !DEFAULT_SUITES.includes(suite))
  await run(node, [
    join('test/node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    'test/vitest.config.ts',
    ...suites.flatMap(suite => ['--project', suite]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...others,
  ])
  if (named.length === 0 && left.length > 0) {
    say(
      `not run here: ${left.join(', ')} (they compare with the real Envoy and Zipkin, a browser and Docker; see CONTRIBUTING.md). Run them with: npm test -- ${left.join(' ')}`,
    )
  }
}

/** Runs in the foreground; signals reach the child, whose end is waited for. Exits with its code unless that is 0. */
function run(node, argv, options = {}) {
  return new Promise(resolve => {
    const child = spawn(node, argv, { cwd: root, stdio: 'inherit', ...options })
    const forward = signal => child.kill(signal)
    // Ctrl-C reaches the child through the terminal as well: it must not be sent twice, this process only waits.
    const onInterrupt = () => (process.stdin.isTTY ? undefined : forward('SIGINT'))
    const onTerminate = () => forward('SIGTERM')
    process.on('SIGINT', onInterrupt)
    process.on('SIGTERM', onTerminate)
    process.on('SIGHUP', onTerminate)
    // A shell between npm and this process does not pass SIGTERM on: it ends, and this process has another parent.
    const parent = process.ppid
    const orphaned = setInterval(() => {
      if (process.ppid === parent) return
      clearInterval(orphaned)
      onTerminate()
    }, 250)
    child.on('error', error => fail(`${argv[0]}: ${error.message}`))
    child.on('close', (code, signal) => {
      clearInterval(orphaned)
      process.off('SIGINT', onInterrupt)
      process.off('SIGTERM', onTerminate)
      process.off('SIGHUP', onTerminate)
      if (code === 0) resolve()
      else process.exit(code ?? (signal === 'SIGINT' ? 130 : 143))
    })
  })
}

/** npm as it was started (`npm start` says where it is), else the one on PATH. */
function npm(node, argv, cwd) {
  const cli = process.env.npm_execpath
  const env = { ...process.env }
  // What an outer `npm start` sets for its own run would be taken as configuration by this one.
  for (const name of Object.keys(env))
    if (/^npm_(config|package|lifecycle)_/i.test(name) && !/registry|cafile|proxy|userconfig|cache/i.test(name))
      delete env[name]
  const done =
    cli !== undefined && /\.c?js$/.test(cli)
      ? spawnSync(node, [cli, ...argv], { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] })
      : spawnSync('npm', argv, {
          cwd,
          env,
          stdio: ['ignore', 'inherit', 'inherit'],
          shell: process.platform === 'win32',
        })
  if (done.error !== undefined) throw new Error(`npm could not be started: ${done.error.message}`)
  if (done.status !== 0) throw new Error(`npm ${argv.slice(0, 2).join(' ')} failed (exit code ${done.status})`)
}

function tool(name, file) {
  return join('test/node_modules', name, file)
}

function filesIn(folder) {
  const files = []
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    if (entry.name === 'node_modules' || entry.name === 'dist') continue
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) files.push(...filesIn(path))
    else files.push(path)
  }
  return files
}

function hashOf(files) {
  const hash = createHash('sha256')
  for (const file of files.sort()) {
    hash.update(file)
    hash.update(readFileSync(join(root, file)))
  }
  return hash.digest('hex')
}

function stampIs(name, value) {
  const file = join(cache, 'stamps', name)
  return existsSync(file) && statSync(file).isFile() && readFileSync(file, 'utf8') === value
}

function stamp(name, value) {
  mkdirSync(join(cache, 'stamps'), { recursive: true })
  rmSync(join(cache, 'stamps', name), { force: true })
  writeFileSync(join(cache, 'stamps', name), value)
}

function say(text) {
  console.error(`hopscope: ${text}`)
}

function fail(text) {
  say(text)
  process.exit(1)
}
