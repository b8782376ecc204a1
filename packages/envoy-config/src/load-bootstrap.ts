import { readFileSync } from 'node:fs'
import type { Bootstrap } from './bootstrap.ts'
import { checkSupported } from './check-supported.ts'
import { fileProblem } from './file-problem.ts'
import type { ParseContext } from './parse/context.ts'
import { type NodeOverrides, parseBootstrap } from './parse/parse-bootstrap.ts'
import { speaksHttp2 } from './parse/parse-cluster.ts'
import { formatProblem, type Problem } from './problem.ts'
import { Problems } from './problems.ts'
import { checkConstraints } from './schema/check-constraints.ts'
import { mergeMessages } from './schema/merge.ts'
import type { Message } from './schema/message.ts'
import { parseMessage } from './schema/parse-message.ts'
import { messageType } from './schema/schema.ts'
import type { SourceNode } from './source/node.ts'
import { readJson } from './source/read-json.ts'
import { readYaml } from './source/read-yaml.ts'
import { type Offset, Sources } from './source/sources.ts'

/** Where a bootstrap comes from; at least one of `path` and `yaml`. */
export interface LoadOptions {
  /** `-c`: an Envoy bootstrap. `.yaml` and `.yml` are read as YAML, everything else as JSON, as in Envoy. */
  path?: string | undefined
  /** `--config-yaml`: YAML that is merged over the file, or stands alone. */
  yaml?: string | undefined
  overrides?: NodeOverrides
  /** Reads the file and what it refers to; by default from the disk, relative names from the working directory. */
  readFile?: (path: string) => Uint8Array
  /** For `environment_variable`; by default the process's. */
  environment?: Readonly<Record<string, string | undefined>>
}

/** The whole bootstrap, or every problem that it has. */
export type LoadResult = { ok: true; bootstrap: Bootstrap } | { ok: false; problems: Problem[] }

const BOOTSTRAP = 'envoy.config.bootstrap.v3.Bootstrap'

/**
 * Reads an Envoy bootstrap: its shape and constraints against Envoy's own API, then what of it Hopscope supports, then what it
 * refers to. Gives the bootstrap with all defaults filled in, or every problem, in the order of the text.
 */
export function loadBootstrap(options: LoadOptions): LoadResult {
  const sources = new Sources()
  const problems = new Problems(sources)
  const readFile = options.readFile ?? ((path: string) => readFileSync(path))
  const messages: (Message | undefined)[] = []
  if (options.path !== undefined) messages.push(readBootstrapFile(options.path, readFile, sources, problems))
  if (options.yaml !== undefined)
    messages.push(readBootstrapText('--config-yaml', options.yaml, true, sources, problems))
  if (messages.length === 0) {
    const base = sources.add('', '')
    problems.add('invalid', { at: base, path: '' }, 'there is no configuration: give a file (-c) or --config-yaml')
  }
  const [first, second] = messages
  if (first === undefined || (messages.length === 2 && second === undefined))
    return { ok: false, problems: problems.sorted() }
  const message = second === undefined ? first : mergeMessages(first, second)

  checkConstraints(message, problems)
  checkSupported(message, problems)
  const clusters = message.message('static_resources')?.messages('clusters') ?? []
  const context: ParseContext = {
    problems,
    clusters: clusterNames(clusters),
    http2Clusters: clusterNames(clusters.filter(speaksHttp2)),
    dnsResolver: message.message('typed_dns_resolver_config'),
    readFile,
    environment: options.environment ?? process.env,
  }
  const bootstrap = parseBootstrap(message, options.overrides ?? {}, context)
  return problems.count === 0 ? { ok: true, bootstrap } : { ok: false, problems: problems.sorted() }
}

/** What Envoy prints on stdout for a good file with `--mode validate`. */
export function validOk(path: string): string {
  return `configuration '${path}' OK`
}

/** All problems, one a line. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(formatProblem).join('\n')
}

function readBootstrapFile(
  path: string,
  readFile: (path: string) => Uint8Array,
  sources: Sources,
  problems: Problems,
): Message | undefined {
  let text: string
  try {
    text = new TextDecoder().decode(readFile(path))
  } catch (error) {
    const reason = fileProblem(error)
    problems.add('syntax', { at: sources.add(path, ''), path: '' }, `cannot be read: ${reason}`)
    return undefined
  }
  return readBootstrapText(path, text, /\.ya?ml$/i.test(path), sources, problems)
}

function readBootstrapText(
  name: string,
  text: string,
  isYaml: boolean,
  sources: Sources,
  problems: Problems,
): Message | undefined {
  const base = sources.add(name, text)
  const node = readTree(text, base, isYaml, problems)
  if (node === undefined) return undefined
  if (node.kind !== 'map') {
    const what = node.kind === 'scalar' && node.value === null ? 'the file is empty' : 'this is not a bootstrap'
    problems.add(
      'syntax',
      { at: node.at, path: '' },
      `${what}: expected fields such as static_resources ({} is the least)`,
    )
    return undefined
  }
  return parseMessage(node, messageType(BOOTSTRAP)!, '', problems)
}

function readTree(text: string, base: Offset, isYaml: boolean, problems: Problems): SourceNode | undefined {
  try {
    return isYaml ? readYaml(text, base, problems) : readJson(text, base, problems)
  } catch (error) {
    // Both readers recurse: thousands of open brackets exhaust the stack.
    if (!(error instanceof RangeError)) throw error
    problems.add('syntax', { at: base, path: '' }, 'is nested too deeply')
    return undefined
  }
}

function clusterNames(clusters: readonly Message[]): Set<string> {
  return new Set(clusters.map(cluster => cluster.string('name')).filter(name => name !== ''))
}
