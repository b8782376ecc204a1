/** The load client's process: options in, requests out, a summary on stdout. README.md lists options and variables. */
import { enableCompileCache } from 'node:module'

enableCompileCache()

const { readOptions } = await import('./options.ts')
const { createSender } = await import('./send.ts')
const { formatJson, formatSummary } = await import('./summary.ts')

const options = readOptions(process.argv.slice(2), process.env)
const stop = new AbortController()
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort())
const say = options.json ? () => {} : (line: string) => console.log(line)

const sender = createSender(options.url, options.timeout, stop.signal)
const result =
  options.mode === 'steady'
    ? await (await import('./steady.ts')).runSteady(options, sender, stop.signal, say)
    : await (await import('./threads.ts')).runThreads(options, sender, stop.signal, say)

console.log(options.json ? formatJson(result) : formatSummary(result))
// Idle connections would keep the process for as long as the server keeps them.
process.exit(0)
