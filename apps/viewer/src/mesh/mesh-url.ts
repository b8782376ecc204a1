import { DEFAULT_TIME, formatTime, parseTime, type TimeRange } from '../shared/time-range.ts'
import { METRICS, type Metric } from './mesh-link.ts'

export interface MeshRoute {
  page: 'mesh'
  time: TimeRange
  view: 'graph' | 'table'
  /** What stands on the lines. */
  metric: Metric
  /** A service `shop`, or a call `shop->price`. */
  selected?: string
  /** Only what is at most `hops` calls away from the service. Absent: all of it, as far as it can be read. */
  around?: { service: string; hops: number }
}

export const MESH: MeshRoute = { page: 'mesh', time: DEFAULT_TIME, view: 'graph', metric: 'calls' }

export function parseMeshUrl(parameters: URLSearchParams): MeshRoute {
  const selected = parameters.get('select')
  const around = /^(\d)\*(.+)$/.exec(parameters.get('around') ?? '')
  return {
    page: 'mesh',
    time: parseTime(parameters),
    view: parameters.get('view') === 'table' ? 'table' : 'graph',
    metric: METRICS.find(([metric]) => metric === parameters.get('label'))?.[0] ?? 'calls',
    ...(selected ? { selected } : {}),
    ...(around && around[1] !== '0' ? { around: { service: around[2]!, hops: Number(around[1]) } } : {}),
  }
}

export function formatMeshUrl(route: MeshRoute, put: (name: string, value: string | undefined) => void): string {
  formatTime(route.time, put)
  if (route.view !== 'graph') put('view', route.view)
  if (route.metric !== 'calls') put('label', route.metric)
  put('select', route.selected)
  if (route.around) put('around', `${route.around.hops}*${route.around.service}`)
  return 'mesh'
}

/** `shop->price`: a call, not a service. */
export function parseCall(selected: string): { parent: string; child: string } | undefined {
  const arrow = selected.indexOf('->')
  return arrow <= 0 ? undefined : { parent: selected.slice(0, arrow), child: selected.slice(arrow + 2) }
}
