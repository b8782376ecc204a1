import type { DependencyLink } from '@hopscope/model'

/** More cannot be read, however they are laid out. */
export const MAX_DRAWN = 200
export const MAX_HOPS = 5

export interface Neighbourhood<L extends DependencyLink> {
  links: L[]
  /** Services that are drawn, and all there are. */
  shown: number
  total: number
  /** Whose neighbourhood it is; absent when nothing was cut. */
  around?: { service: string; hops: number }
}

/**
 * What is drawn: all of it, or what is at most `hops` calls up or down from a service. Without a wish, a mesh that is too
 * large is cut around its busiest service, as widely as can be read.
 */
export function cutToNeighbourhood<L extends DependencyLink>(
  links: readonly L[],
  wish: { service: string; hops: number } | undefined,
): Neighbourhood<L> {
  const total = new Set(links.flatMap(({ parent, child }) => [parent, child])).size
  const around = wish ?? (total > MAX_DRAWN ? widest(links) : undefined)
  if (!around) return { links: [...links], shown: total, total }
  const near = nearTo(links, around.service, around.hops)
  return {
    links: links.filter(({ parent, child }) => near.has(parent) && near.has(child)),
    shown: near.size,
    total,
    around,
  }
}

/** Services by their distance in calls, either way. */
function nearTo(links: readonly DependencyLink[], service: string, hops: number): Set<string> {
  const beside = new Map<string, string[]>()
  const put = (from: string, to: string) => {
    const list = beside.get(from)
    if (list) list.push(to)
    else beside.set(from, [to])
  }
  for (const { parent, child } of links) {
    put(parent, child)
    put(child, parent)
  }
  const near = new Set([service])
  let edge = [service]
  for (let hop = 0; hop < hops && edge.length > 0; hop++) {
    const next: string[] = []
    for (const from of edge) {
      for (const to of beside.get(from) ?? []) {
        if (near.has(to)) continue
        near.add(to)
        next.push(to)
      }
    }
    edge = next
  }
  return near
}

/** Around the busiest service: as many hops as leave it readable, one at least. */
function widest(links: readonly DependencyLink[]): { service: string; hops: number } {
  const calls = new Map<string, number>()
  for (const { parent, child, callCount } of links) {
    for (const service of new Set([parent, child])) calls.set(service, (calls.get(service) ?? 0) + callCount)
  }
  let service = ''
  let most = -1
  for (const [name, count] of calls) {
    if (count > most || (count === most && name < service)) {
      service = name
      most = count
    }
  }
  let hops = 1
  while (hops < MAX_HOPS && nearTo(links, service, hops + 1).size <= MAX_DRAWN) hops++
  return { service, hops }
}
