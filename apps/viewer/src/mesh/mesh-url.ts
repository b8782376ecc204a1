import { DEFAULT_TIME, formatTime, parseTime, type TimeRange } from '../shared/time-range.ts'

export interface MeshRoute {
  page: 'mesh'
  time: TimeRange
  view: 'graph' | 'table'
  /** A service `shop`, or a call `shop->price`. */
  selected?: string
  /** Only what is at most `hops` calls away from the service. Absent: all of it, as far as it can be read. */
  around?: { service: string; hops: number }
}

export const MESH: MeshRoute = { page: 'mesh', time: DEFAULT_TIME, view: 'graph' }

export function parseMeshUrl(parameters: URLSearchParams): MeshRoute {
  const selected = parameters.get('select')
  const around = /^(\d)\*(.+)$/.exec(parameters.get('around') ?? '')
  return {
    page: 'mesh',
    time: parseTime(parameters),
    view: parameters.get('view') === 'table' ? 'table' : 'graph',
    ...(selected ? { selected } : {}),
    ...(around && around[1] !== '0' ? { around: { service: around[2]!, hops: Number(around[1]) } } : {}),
  }
}

export function formatMeshUrl(route: MeshRoute, put: (name: string, value: string | undefined) => void): string {
  formatTime(route.time, put)
  if (route.view !== 'graph') put('view', route.view)
  put('select', route.selected)
  if (route.around) put('around', `${route.around.hops}*${route.around.service}`)
  return 'mesh'
}
