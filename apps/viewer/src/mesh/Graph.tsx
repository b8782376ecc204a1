import { useEffect, useRef, useState } from 'react'
import { serviceColour } from '../shared/service-colour.ts'
import { short } from '../shared/short-count.ts'
import { type Direction, type GraphLayout, NODE, type PlacedLink, type PlacedNode } from './layout.ts'
import { labelOf, type Metric, share } from './mesh-link.ts'
import { parseCall } from './mesh-url.ts'

const MARGIN = 28
/** With more links, numbers hide the lines: they are shown around the selected service, and in the table. */
const MAX_LABELS = 60
/** Smaller, names cannot be read: the rest is scrolled to. */
const MIN_SCALE = 0.62
/** When all of it would be smaller than this, it is as wide as the page instead, and scrolled up and down. */
const MIN_WHOLE = 0.75
/** With more links, thick lines hide each other. */
const MANY_LINKS = 100
/** Characters that fit beside the swatch. */
const MAX_NAME = 17

/** Services and calls: thicker is more, dashed with ✕ is failing. Every service is a button. */
export function Graph(props: {
  layout: GraphLayout
  direction: Direction
  metric: Metric
  selected: string | undefined
  filter: string
  onSelect: (selected: string) => void
}) {
  const { layout, selected } = props
  const call = selected === undefined ? undefined : parseCall(selected)
  const filter = props.filter.trim().toLowerCase()
  const most = Math.max(1, ...layout.links.map(link => link.callCount))
  const width = layout.width + MARGIN * 2
  const height = layout.height + MARGIN * 2
  const isNear = (link: PlacedLink) =>
    call
      ? link.parent === call.parent && link.child === call.child
      : selected === undefined || link.parent === selected || link.child === selected
  const near = new Set(layout.links.filter(isNear).flatMap(link => [link.parent, link.child]))
  const isDim = (service: string) =>
    (selected !== undefined && !near.has(service) && service !== selected) ||
    (filter !== '' && !service.toLowerCase().includes(filter))
  const box = useRef<HTMLDivElement>(null)
  const scale = useFit(box, width, height, props.direction)
  useEffect(() => {
    if (scale > 0) box.current?.querySelector('.node.selected')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [scale])
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields
    <div ref={box} className="graph" tabIndex={0} role="group" aria-label="Graph of services">
      <svg width={width * scale} height={height * scale} viewBox={`${-MARGIN} ${-MARGIN} ${width} ${height}`}>
        <title>Services and the calls between them</title>
        <defs>
          {['plain', 'bad'].map(kind => (
            <marker
              key={kind}
              id={`arrow-${kind}`}
              viewBox="0 0 8 8"
              refX="7"
              refY="4"
              markerWidth="8"
              markerHeight="8"
              markerUnits="userSpaceOnUse"
              orient="auto"
            >
              <path d="M0 0 8 4 0 8z" className={`arrow-${kind}`} />
            </marker>
          ))}
        </defs>
        {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it can take the focus */}
        <g aria-hidden="true">
          {layout.links.map(link => (
            <Link
              key={`${link.parent}\n${link.child}`}
              link={link}
              direction={props.direction}
              most={most}
              isDim={!isNear(link)}
              metric={props.metric}
              reach={layout.links.length > MANY_LINKS ? 1.6 : 3.8}
              onSelect={props.onSelect}
              isLabelled={layout.links.length <= MAX_LABELS || (selected !== undefined && isNear(link))}
            />
          ))}
        </g>
        {layout.nodes.map(node => (
          <Node
            key={node.service}
            node={node}
            isSelected={node.service === selected}
            isDim={isDim(node.service)}
            onSelect={props.onSelect}
          />
        ))}
      </svg>
    </div>
  )
}

/** As large as fits, between readable and life size. */
function useFit(
  box: React.RefObject<HTMLDivElement | null>,
  width: number,
  height: number,
  direction: Direction,
): number {
  const [scale, setScale] = useState(1)
  useEffect(() => {
    const element = box.current!
    const fit = () => {
      const byWidth = Math.min(1, element.clientWidth / width)
      const whole = Math.min(byWidth, element.clientHeight / height)
      const next = whole >= MIN_WHOLE ? whole : Math.max(MIN_SCALE, byWidth)
      setScale(next)
      // Entries are at the left or at the top, in the middle of their layer.
      if (direction === 'right') element.scrollTop = (next * height - element.clientHeight) / 2
      else element.scrollLeft = (next * width - element.clientWidth) / 2
    }
    const resize = new ResizeObserver(fit)
    resize.observe(element)
    return () => resize.disconnect()
  }, [box, width, height, direction])
  return scale
}

function Link(props: {
  link: PlacedLink
  direction: Direction
  most: number
  metric: Metric
  /** How much thicker the busiest line is than an idle one, in pixels. */
  reach: number
  isDim: boolean
  isLabelled: boolean
  onSelect: (selected: string) => void
}) {
  const { link, most, isDim } = props
  const errors = link.errorCount ?? 0
  const width = 1.2 + props.reach * (Math.log1p(link.callCount) / Math.log1p(most))
  const middle = middleOf(link)
  const path = pathOf(link, props.direction)
  const label = labelOf(link, props.metric)
  const isLabelled = props.isLabelled && label !== ''
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: for the pointer; the panel of a service lists its calls
    <g
      onClick={() => props.onSelect(`${link.parent}->${link.child}`)}
      className={`link${errors > 0 ? ' bad' : ''}${isDim ? ' dim' : ''}${link.isBack ? ' back' : ''}`}
    >
      <path d={path} className="link-reach" />
      <path d={path} strokeWidth={width} markerEnd={`url(#arrow-${errors > 0 ? 'bad' : 'plain'})`} />
      {isLabelled && (
        <>
          <rect
            x={middle.x - label.length * 3.3 - 4}
            y={middle.y - 8}
            width={label.length * 6.6 + 8}
            height={16}
            rx="8"
            className="link-plate"
          />
          <text x={middle.x} y={middle.y + 3.5} textAnchor="middle">
            {label}
          </text>
        </>
      )}
    </g>
  )
}

function Node(props: { node: PlacedNode; isSelected: boolean; isDim: boolean; onSelect: (service: string) => void }) {
  const { node } = props
  const select = () => props.onSelect(node.service)
  const calls = node.calls === 0 ? 'entry' : `${short(node.calls)} ${node.calls === 1 ? 'call' : 'calls'}`
  return (
    // biome-ignore lint/a11y/useSemanticElements: SVG has no button element
    <g
      className={`node${props.isSelected ? ' selected' : ''}${props.isDim ? ' dim' : ''}`}
      transform={`translate(${node.x} ${node.y})`}
      role="button"
      tabIndex={0}
      aria-pressed={props.isSelected}
      onClick={select}
      onKeyDown={event => {
        if (event.key !== 'Enter' && event.key !== ' ') return
        event.preventDefault()
        select()
      }}
    >
      <rect width={NODE.width} height={NODE.height} rx="8">
        {node.service.length > MAX_NAME && <title>{node.service}</title>}
      </rect>
      <rect
        width="5"
        height={NODE.height - 16}
        x="8"
        y="8"
        rx="2.5"
        className="node-swatch"
        style={{ fill: serviceColour(node.service) }}
      />
      <text x="22" y="19" className="node-name">
        {node.service.length > MAX_NAME ? `${node.service.slice(0, MAX_NAME - 1)}…` : node.service}{' '}
      </text>
      <text x="22" y="34" className="node-calls">
        {calls}
        {node.selfCalls > 0 && (
          <tspan>
            {' '}
            ↺<title>{short(node.selfCalls)} calls to itself: a proxy's span for a call and those for its tries</title>
          </tspan>
        )}
        {node.errors > 0 && <tspan className="bad"> ✕ {share(node.errors, node.calls)}</tspan>}
      </text>
    </g>
  )
}

function pathOf({ points, isBack }: PlacedLink, direction: Direction): string {
  const first = points[0]!
  let path = `M${first.x} ${first.y}`
  for (let i = 1; i < points.length; i++) {
    const from = points[i - 1]!
    const to = points[i]!
    const isRight = direction === 'right'
    const bend = Math.max(18, Math.abs(isRight ? to.x - from.x : to.y - from.y) / 2) * (isBack ? -1 : 1)
    const [x, y] = isRight ? [bend, 0] : [0, bend]
    const isStraight = isRight ? from.y === to.y : from.x === to.x
    path +=
      isStraight && !isBack
        ? `L${to.x} ${to.y}`
        : `C${from.x + x} ${from.y + y} ${to.x - x} ${to.y - y} ${to.x} ${to.y}`
  }
  return path
}

/** Labels stand near the caller's end, where lines to different services are apart. */
function middleOf({ points }: PlacedLink): { x: number; y: number } {
  const a = points[0]!
  const b = points[1]!
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }
}
