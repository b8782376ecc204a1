import type { MeshLink } from './mesh-link.ts'

export interface PlacedNode {
  service: string
  layer: number
  x: number
  y: number
  calls: number
  errors: number
  /** Calls to itself; drawn on the service, not as a line. */
  selfCalls: number
}

export interface PlacedLink extends MeshLink {
  /** Corners of its path, from caller to callee; passes between nodes where it crosses layers. */
  points: { x: number; y: number }[]
  /** Goes back to an earlier layer: the calls form a circle. */
  isBack: boolean
}

export interface GraphLayout {
  nodes: PlacedNode[]
  links: PlacedLink[]
  width: number
  height: number
}

export const NODE = { width: 168, height: 44 }

/** Whom a service calls stands right of it, or below it where the window is narrow. */
export type Direction = 'right' | 'down'

/** Sizes along the calls and across them; `step` is from a layer to the next. */
const AXES = {
  right: { along: NODE.width, step: NODE.width + 90, across: NODE.height, gap: 22 },
  down: { along: NODE.height, step: NODE.height + 56, across: NODE.width, gap: 14 },
} as const
/** Room for a link that passes between two services. */
const BEND = 10
/** Crossings stop getting fewer after a few sweeps. */
const SWEEPS = 12

/**
 * Services in columns, callers left of whom they call; or in rows, callers above:
 *
 *     layoutGraph([shop→stock, shop→price, stock→db])      shop ─ stock ─ db
 *                                                              └ price
 *
 * After Sugiyama: circles are cut, layers by longest path, order by barycentre, long links through bends of their own.
 * Same links, same picture: nothing is random and ties go by name.
 */
export function layoutGraph(all: readonly MeshLink[], direction: Direction = 'right'): GraphLayout {
  const axes = AXES[direction]
  const services = [...new Set(all.flatMap(link => [link.parent, link.child]))].sort()
  const links = all.filter(({ parent, child }) => parent !== child)
  const index = new Map(services.map((service, i) => [service, i]))
  const edges = links
    .map(link => ({ link, from: index.get(link.parent)!, to: index.get(link.child)! }))
    .sort((a, b) => a.from - b.from || a.to - b.to)
  const backward = findBackward(services.length, edges)
  const forward = edges.map((edge, i) => (backward.has(i) ? { from: edge.to, to: edge.from } : edge))
  const layerOf = assignLayers(services.length, forward)

  // Items of a layer are services and, under numbers from services.length on, the bends of links that pass through.
  const layers: number[][] = []
  const put = (layer: number, item: number) => {
    layers[layer] ??= []
    layers[layer].push(item)
  }
  for (let i = 0; i < services.length; i++) put(layerOf[i]!, i)
  let nextItem = services.length
  const chains = edges.map(({ from, to }) => {
    const [left, right] = layerOf[from]! <= layerOf[to]! ? [from, to] : [to, from]
    const chain = [left]
    for (let layer = layerOf[left]! + 1; layer < layerOf[right]!; layer++) {
      put(layer, nextItem)
      chain.push(nextItem++)
    }
    chain.push(right)
    return chain
  })
  const positions = orderLayers(layers, chains, nextItem)

  const sizeOf = (item: number) => (item < services.length ? axes.across + axes.gap : BEND)
  const sizes = layers.map(layer => layer.reduce((sum, item) => sum + sizeOf(item), 0))
  const breadth = Math.max(axes.across, ...sizes)
  const place = new Map<number, Place>()
  layers.forEach((layer, l) => {
    let across = (breadth - sizes[l]!) / 2
    for (const item of layer.toSorted((a, b) => positions[a]! - positions[b]!)) {
      const own = sizeOf(item)
      place.set(item, { along: l * axes.step, across: across + own / 2 })
      across += own
    }
  })
  const pointOf = ({ along, across }: Place) =>
    direction === 'right' ? { x: along, y: across } : { x: across, y: along }

  const nodes = services.map((service, i) => {
    const incoming = links.filter(link => link.child === service)
    const { along, across } = place.get(i)!
    return {
      service,
      layer: layerOf[i]!,
      ...pointOf({ along, across: across - axes.across / 2 }),
      calls: incoming.reduce((sum, link) => sum + link.callCount, 0),
      errors: incoming.reduce((sum, link) => sum + (link.errorCount ?? 0), 0),
      selfCalls: all.find(({ parent, child }) => parent === service && child === service)?.callCount ?? 0,
    }
  })
  return {
    nodes,
    links: edges.map(({ link, from, to }, i) => ({
      ...link,
      isBack: backward.has(i),
      points: route(chains[i]!, from, to, place, axes.along, services.length).map(pointOf),
    })),
    ...sizeOfGraph(direction, Math.max(0, (layers.length - 1) * axes.step + axes.along), breadth),
  }
}

/** `along` the calls: the near edge of the item; `across` them: its middle. */
interface Place {
  along: number
  across: number
}

function sizeOfGraph(direction: Direction, along: number, across: number): { width: number; height: number } {
  return direction === 'right' ? { width: along, height: across } : { width: across, height: along }
}

type Edge = { from: number; to: number }

/** Edges that close a circle, found by a depth-first walk with its own stack; callers that nobody calls go first. */
function findBackward(count: number, edges: readonly Edge[]): Set<number> {
  const out: number[][] = Array.from({ length: count }, () => [])
  const called = new Uint8Array(count)
  edges.forEach((edge, i) => {
    out[edge.from]!.push(i)
    called[edge.to] = 1
  })
  const order = Array.from({ length: count }, (_, i) => i).sort((a, b) => called[a]! - called[b]! || a - b)
  const state = new Uint8Array(count)
  const backward = new Set<number>()
  for (const start of order) {
    if (state[start] !== 0) continue
    const stack = [{ node: start, next: 0 }]
    state[start] = 1
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!
      const edge = out[top.node]![top.next++]
      if (edge === undefined) {
        state[top.node] = 2
        stack.pop()
        continue
      }
      const { to } = edges[edge]!
      if (state[to] === 1) backward.add(edge)
      else if (state[to] === 0) {
        state[to] = 1
        stack.push({ node: to, next: 0 })
      }
    }
  }
  return backward
}

/** The longest way from a service that nobody calls. */
function assignLayers(count: number, edges: readonly Edge[]): Int32Array {
  const layers = new Int32Array(count)
  const waiting = new Int32Array(count)
  const out: number[][] = Array.from({ length: count }, () => [])
  for (const { from, to } of edges) {
    waiting[to]!++
    out[from]!.push(to)
  }
  const ready: number[] = []
  for (let i = 0; i < count; i++) if (waiting[i] === 0) ready.push(i)
  for (let i = 0; i < ready.length; i++) {
    const node = ready[i]!
    for (const to of out[node]!) {
      layers[to] = Math.max(layers[to]!, layers[node]! + 1)
      if (--waiting[to]! === 0) ready.push(to)
    }
  }
  return layers
}

/** Each item near the middle of its neighbours in the layer before, then in the one after, and so on. */
function orderLayers(layers: readonly number[][], chains: readonly number[][], itemCount: number): Float64Array {
  const left: number[][] = Array.from({ length: itemCount }, () => [])
  const right: number[][] = Array.from({ length: itemCount }, () => [])
  for (const chain of chains) {
    for (let i = 1; i < chain.length; i++) {
      if (chain[i - 1] === chain[i]) continue
      right[chain[i - 1]!]!.push(chain[i]!)
      left[chain[i]!]!.push(chain[i - 1]!)
    }
  }
  const position = new Float64Array(itemCount)
  const renumber = (layer: number[]) => {
    layer.forEach((item, i) => {
      position[item] = i - (layer.length - 1) / 2
    })
  }
  for (const layer of layers) renumber(layer)
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isRightward = sweep % 2 === 0
    const neighbours = isRightward ? left : right
    for (const layer of isRightward ? layers : layers.toReversed()) {
      const middle = (item: number) => {
        const around = neighbours[item]!
        return around.length === 0
          ? position[item]!
          : around.reduce((sum, other) => sum + position[other]!, 0) / around.length
      }
      const middles = new Map(layer.map(item => [item, middle(item)]))
      layer.sort((a, b) => middles.get(a)! - middles.get(b)! || a - b)
      renumber(layer)
    }
  }
  return position
}

function route(
  chain: readonly number[],
  from: number,
  to: number,
  place: ReadonlyMap<number, Place>,
  depth: number,
  serviceCount: number,
): Place[] {
  const ordered = chain[0] === from ? chain : chain.toReversed()
  const isBackward = place.get(from)!.along > place.get(to)!.along
  return ordered.flatMap((item, i) => {
    const { along, across } = place.get(item)!
    if (item >= serviceCount) {
      const ends = [
        { along, across },
        { along: along + depth, across },
      ]
      return isBackward ? ends.reverse() : ends
    }
    const isStart = i === 0
    return [{ along: isStart === isBackward ? along : along + depth, across }]
  })
}
