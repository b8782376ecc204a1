/** The collector's published port, the same in every compose file. */
const COLLECTOR = 'http://127.0.0.1:9411'

export interface ZipkinSpan {
  traceId: string
  id: string
  parentId?: string
  kind: string
  shared?: boolean
  localEndpoint: { serviceName: string }
  tags: Record<string, string>
}

/** Newest first; [] as long as the collector does not answer: it may still be starting. */
export async function traces(query = ''): Promise<ZipkinSpan[][]> {
  return (await get<ZipkinSpan[][]>(`/api/v2/traces?limit=100&${query}`)) ?? []
}

/** Polls until the trace has so many spans; after a minute returns what there is, for the expectation to complain about. */
export async function traceOf(traceId: string, spans: number): Promise<ZipkinSpan[]> {
  return await until(
    async () => (await get<ZipkinSpan[]>(`/api/v2/trace/${traceId}`)) ?? [],
    trace => trace.length >= spans,
  )
}

async function get<T>(path: string): Promise<T | undefined> {
  const response = await fetch(COLLECTOR + path).catch(() => Response.error())
  return response.ok ? ((await response.json()) as T) : undefined
}

/** Sends until the mesh answers with 200: containers start in any order. Returns that answer. */
export async function firstAnswer(url: string): Promise<Response> {
  return await until(
    () => fetch(url, { signal: AbortSignal.timeout(10_000) }).catch(() => Response.error()),
    response => response.status === 200,
  )
}

/** Polls for a minute at most and returns the last value, good or not. */
export async function until<T>(read: () => Promise<T>, good: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 60_000
  for (;;) {
    const value = await read()
    if (good(value) || performance.now() > end) return value
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

/** `edge SERVER > shop SERVER > shop CLIENT`: service and kind from the root down, for traces without branches. */
export function path(trace: ZipkinSpan[]): string {
  const ids = new Set(trace.map(span => span.id))
  const names: string[] = []
  let current = trace.find(span => span.parentId === undefined || !ids.has(span.parentId))
  while (current !== undefined) {
    names.push(`${current.localEndpoint.serviceName} ${current.kind}`)
    const { id } = current
    current = trace.find(span => span.parentId === id)
  }
  return names.join(' > ')
}
