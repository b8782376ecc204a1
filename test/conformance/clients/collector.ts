import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Span } from '@hopscope/model'

const COLLECTOR = fileURLToPath(new URL('../../../apps/collector/src/main.ts', import.meta.url))

/** Our collector with all its ports, each a free one. */
export class Collector {
  readonly #child: ChildProcess
  /** Host and port. */
  readonly zipkin: string
  readonly otlpHttp: string
  readonly otlpGrpc: string

  private constructor(child: ChildProcess, [zipkin, otlpHttp, otlpGrpc]: [string, string, string]) {
    this.#child = child
    this.zipkin = zipkin
    this.otlpHttp = otlpHttp
    this.otlpGrpc = otlpGrpc
  }

  static start(): Promise<Collector> {
    const ports = ['--port', '0', '--otlp-port', '0', '--otlp-grpc-port', '0']
    const child = spawn(process.execPath, [COLLECTOR, '--storage', 'mem', ...ports])
    let said = ''
    return new Promise((resolve, reject) => {
      const hear = (chunk: Buffer) => {
        said += chunk
        const found = /http:\/\/(\S+:\d+)\/zipkin\/ {2}OTLP http:\/\/(\S+:\d+)\S* {2}gRPC (\S+:\d+)/.exec(said)
        if (found) resolve(new Collector(child, [found[1]!, found[2]!, found[3]!]))
      }
      child.stdout.on('data', hear)
      child.stderr.on('data', hear)
      child.once('exit', () => reject(new Error(`the collector ended: ${said}`)))
    })
  }

  /** The spans of a trace once there are as many: the root, then by time. */
  async trace(traceId: string, count: number): Promise<Span[]> {
    let spans: Span[] = []
    for (let attempt = 0; attempt < 900; attempt++) {
      const response = await fetch(`http://${this.zipkin}/api/v2/trace/${traceId}`)
      if (response.ok) spans = (await response.json()) as Span[]
      if (spans.length >= count) return spans.sort(byPlace)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    throw new Error(`trace ${traceId} has ${spans.length} spans, not ${count}`)
  }

  async search(query: string): Promise<Span[][]> {
    const response = await fetch(`http://${this.zipkin}/api/v2/traces?${query}`)
    return (await response.json()) as Span[][]
  }

  close(): Promise<void> {
    return new Promise(resolve => {
      this.#child.removeAllListeners('exit').once('exit', () => resolve())
      this.#child.kill('SIGTERM')
    })
  }
}

function byPlace(a: Span, b: Span): number {
  const rank = ({ parentId }: Span): number => (parentId === undefined ? 0 : 1)
  return rank(a) - rank(b) || (a.timestamp ?? 0) - (b.timestamp ?? 0)
}
