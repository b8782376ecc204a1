import { Command, InvalidArgumentError, Option } from 'commander'
import type { Milliseconds } from './histogram.ts'

interface Common {
  url: URL
  /** Of one request. */
  timeout: Milliseconds
  json: boolean
}

/** Posta's client: so many threads, each making so many calls. */
export interface ThreadsOptions extends Common {
  mode: 'threads'
  threads: number
  calls: number
  delay: Milliseconds
  /** Instead of the URL's path, /delay/0 to /delay/4 by chance. */
  mix: boolean
  /** Calls of a thread that are in flight at the same time; 1 is one after the other. */
  batch: number
}

/** Open loop: requests leave at a fixed rate, whether or not the ones before were answered. */
export interface SteadyOptions extends Common {
  mode: 'steady'
  /** Requests a second. */
  rate: number
  /** Infinity: until a signal. */
  duration: Milliseconds
}

export type Options = ThreadsOptions | SteadyOptions

interface Flags {
  url: URL
  threads: number
  calls: number
  delay: Milliseconds
  mix: boolean
  parallel: boolean
  batch: number
  rate?: number
  duration?: Milliseconds
  timeout: Milliseconds
  json: boolean
}

/** A flag wins over its variable, the variable over the default. Bad input is told on stderr and ends the process with 64. */
export function readOptions(argv: readonly string[], env: Readonly<Record<string, string | undefined>>): Options {
  const command = new Command('hopscope load')
    .description('Makes HTTP load and tells how it went.')
    .addOption(variable(new Option('--url <url>', 'what to call'), env.URL_UNDER_TEST, 'URL_UNDER_TEST', httpUrl))
    .addOption(
      variable(new Option('--threads <n>', 'callers').default(1), env.NUM_THREADS, 'NUM_THREADS', positiveInteger),
    )
    .addOption(
      variable(
        new Option('--calls <n>', 'calls of each').default(5),
        env.NUM_CALLS_PER_CLIENT,
        'NUM_CALLS_PER_CLIENT',
        positiveInteger,
      ),
    )
    .addOption(
      variable(
        new Option('--delay <duration>', 'pause between two calls').default(0, '0'),
        env.DELAY_BETWEEN_CALLS,
        'DELAY_BETWEEN_CALLS',
        duration,
      ),
    )
    .addOption(
      variable(
        new Option('--mix [yes]', 'call /delay/0 to /delay/4 by chance').default(false),
        env.MIX_RESPONSE_TIMES,
        'MIX_RESPONSE_TIMES',
        yesOrNo,
      ),
    )
    .addOption(
      variable(
        new Option('--parallel [yes]', 'send the calls of a caller in batches').default(false),
        env.PARALLEL_SENDS,
        'PARALLEL_SENDS',
        yesOrNo,
      ),
    )
    .addOption(
      variable(
        new Option('--batch <n>', 'size of a batch').default(5),
        env.PARALLEL_SENDS_BATCH,
        'PARALLEL_SENDS_BATCH',
        positiveInteger,
      ),
    )
    .addOption(
      variable(new Option('--rate <n>', 'steady load instead: requests a second'), env.RATE, 'RATE', positiveNumber),
    )
    .addOption(
      variable(
        new Option('--duration <duration>', 'of the steady load; else until Ctrl-C'),
        env.DURATION,
        'DURATION',
        duration,
      ),
    )
    .addOption(new Option('--timeout <duration>', 'of one call').default(30_000, '30s').argParser(duration))
    .addOption(new Option('--json', 'the summary as JSON, nothing else').default(false))
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'load: ')) })
    .exitOverride(error => process.exit(error.exitCode === 0 ? 0 : 64))

  const flags = command.parse(argv, { from: 'user' }).opts<Flags>()
  if (flags.url === undefined) command.error('error: no URL: pass --url or set URL_UNDER_TEST')
  if (flags.duration !== undefined && flags.rate === undefined) command.error('error: --duration needs --rate')

  const { url, timeout, json } = flags
  if (flags.rate !== undefined) {
    return {
      mode: 'steady',
      url,
      timeout,
      json,
      rate: flags.rate,
      duration: flags.duration ?? Number.POSITIVE_INFINITY,
    }
  }
  const { threads, calls, delay, mix, parallel, batch } = flags
  return { mode: 'threads', url, timeout, json, threads, calls, delay, mix, batch: parallel ? batch : 1 }
}

/** Both ways in go through one reader: `--calls x` and `NUM_CALLS_PER_CLIENT=x` fail alike, each under its own name. */
function variable<T>(option: Option, value: string | undefined, name: string, parse: (text: string) => T): Option {
  option.argParser(parse)
  if (value === undefined || value === '') return option
  try {
    return option.default(parse(value), `${name}=${value}`)
  } catch (error) {
    console.error(`load: ${name}: ${JSON.stringify(value)} is invalid. ${(error as Error).message}`)
    process.exit(64)
  }
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(text)
}

function positiveNumber(text: string): number {
  const value = Number(text)
  if (!(value > 0 && value <= 100_000)) throw new InvalidArgumentError('Expected a number above 0, at most 100000.')
  return value
}

/** `500` is milliseconds, as in Posta's client; `500ms`, `1.5s`, `2m` say it. */
function duration(text: string): Milliseconds {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? []
  if (number === undefined) throw new InvalidArgumentError('Expected a duration such as 500ms, 1.5s or 2m.')
  return Number(number) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit]!
}

function yesOrNo(text: string): boolean {
  if (/^(true|yes|1)$/i.test(text)) return true
  if (/^(false|no|0)$/i.test(text)) return false
  throw new InvalidArgumentError('Expected true or false.')
}

function httpUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:') throw new InvalidArgumentError('Expected an http:// URL.')
  return url
}
