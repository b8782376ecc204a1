// The unit and process suites on the oldest Node that Hopscope supports and on a newer one than it is developed with.
//   node .ci/other-nodes.mjs VERSION…
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
let failed = false
for (const version of process.argv.slice(2)) {
  const folder = join(root, '.cache/originals', `node-${version}`)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const name = `node-linux-${process.arch}`
  must('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error', `${name}@${version}`], folder)
  const node = join(folder, 'node_modules', name, 'bin/node')
  console.log(`--- Node ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`)
  const run = spawnSync(
    node,
    [
      'test/node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/vitest.config.ts',
      '--project',
      'unit',
      '--project',
      'process',
      '--reporter=dot',
      '--reporter=json',
      `--outputFile.json=${join(root, '.cache/test', `unit-process-node-${version}.json`)}`,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PATH: `${join(node, '..')}:${process.env.PATH}` },
    },
  )
  failed ||= run.status !== 0
}
process.exit(failed ? 1 : 0)

function must(command, args, cwd) {
  const done = spawnSync(command, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] })
  if (done.status !== 0) {
    console.error(`ci: ${command} ${args.join(' ')} failed`)
    process.exit(1)
  }
}
