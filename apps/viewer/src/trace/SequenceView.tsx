import '../styles/trace-views.css'
import { type KeyboardEvent, useMemo, useRef } from 'react'
import { formatDuration } from '../shared/duration.ts'
import { serviceColour } from '../shared/service-colour.ts'
import { useNarrow } from '../shared/use-narrow.ts'
import { useVisibleRows } from '../shared/use-visible-rows.ts'
import { FLAG } from './columns.ts'
import { type Message, sequenceOf } from './sequence.ts'
import type { ViewProps } from './view-props.ts'

const ROW = 30
const HEAD = 40
/** Of a participant, and before the first one; the second of each on a phone. */
const LANES = [
  { width: 150, left: 84 },
  { width: 92, left: 58 },
] as const

/** Who calls whom, from top to bottom in order of time; only the messages on screen are in the document. */
export function SequenceView(props: ViewProps) {
  const { columns, strings, selected } = props
  const { participants, messages } = useMemo(() => sequenceOf(columns), [columns])
  const box = useRef<HTMLDivElement>(null)
  const { from, to } = useVisibleRows(box, messages.length, ROW)
  const lanes = LANES[useNarrow() ? 1 : 0]
  const width = lanes.left + participants.length * lanes.width

  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const at = messages.findIndex(message => message.row === selected && message.kind !== 'reply')
    const walk = (by: number) => {
      for (let i = at + by; i >= 0 && i < messages.length; i += by) {
        if (messages[i]!.kind === 'reply') continue
        props.onSelect(messages[i]!.row)
        const element = box.current!
        const y = i * ROW
        if (y < element.scrollTop) element.scrollTop = y
        else if (y + ROW + HEAD > element.scrollTop + element.clientHeight)
          element.scrollTop = y + ROW + HEAD - element.clientHeight
        return
      }
    }
    if (event.key === 'ArrowDown' || event.key === 'j') walk(1)
    else if (event.key === 'ArrowUp' || event.key === 'k') walk(-1)
    else if (!props.takeKey(event.key)) return
    event.preventDefault()
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: arrows walk the buttons inside
    <div
      ref={box}
      className="sequence"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling box must be reachable by keys
      tabIndex={0}
      onKeyDown={onKey}
    >
      <div className="sequence-head" style={{ width, height: HEAD }}>
        {participants.map((name, i) => (
          <span
            key={name}
            className="participant"
            style={{ left: lanes.left + i * lanes.width, width: lanes.width - 12 }}
          >
            <span
              className="swatch"
              style={{ ['--swatch' as string]: serviceColour(strings[name]!) }}
              aria-hidden="true"
            />
            <span className="participant-name" title={strings[name]}>
              {strings[name]}
            </span>
          </span>
        ))}
      </div>
      <ol
        className="sequence-body"
        style={{ width, height: messages.length * ROW }}
        aria-label="Messages in order of time"
      >
        {participants.map((name, i) => (
          <li key={name} className="lifeline" aria-hidden="true" style={{ left: middleOf(lanes, i) }} />
        ))}
        {messages.slice(from, to).map((message, i) => (
          <MessageRow
            key={`${message.row} ${message.kind}`}
            message={message}
            position={from + i}
            lanes={lanes}
            {...props}
          />
        ))}
      </ol>
    </div>
  )
}

type Lanes = (typeof LANES)[number]

/** Pixels from the left to a participant's line. */
function middleOf({ left, width }: Lanes, participant: number): number {
  return left + participant * width + width / 2 - 6
}

function MessageRow(props: ViewProps & { message: Message; position: number; lanes: Lanes }) {
  const { message, position, lanes } = props
  const { columns, strings, selected, matches } = props
  const { row, kind } = message
  const flags = columns.flags[row]!
  const isSelf = message.from === message.to
  const left = middleOf(lanes, Math.min(message.from, message.to))
  const width = Math.abs(message.to - message.from) * lanes.width
  const classes = ['message', kind]
  if (message.to < message.from) classes.push('leftward')
  if (isSelf) classes.push('self')
  if (flags & FLAG.error) classes.push('failed')
  if (flags & FLAG.untraced) classes.push('untraced')
  if (props.isCriticalShown && flags & FLAG.critical) classes.push('critical')
  if (row === selected) classes.push('selected')
  if (matches?.[row] === 1) classes.push('match')
  const note = columns.note[row]! < 0 ? '' : strings[columns.note[row]!]!
  const text =
    kind === 'reply'
      ? `${flags & FLAG.error ? '✕ ' : ''}${note || 'ok'} · ${formatDuration(columns.duration[row]!)}`
      : strings[columns.name[row]!]!
  return (
    <li
      className={classes.join(' ')}
      style={{ transform: `translateY(${position * ROW}px)`, height: ROW }}
      aria-posinset={position + 1}
    >
      <span className="message-time">{formatDuration(message.at)}</span>
      <button
        type="button"
        tabIndex={-1}
        style={{ left, width: isSelf ? lanes.width - 20 : width }}
        aria-pressed={row === selected}
        title={text}
        onClick={() => props.onSelect(row)}
      >
        <span className="sr-only">
          {kind === 'reply' ? 'reply to ' : ''}
          {strings[columns.service[row]!]}
          {columns.peer[row]! >= 0 && ` calls ${strings[columns.peer[row]!]}`}:{' '}
        </span>
        <span className="message-text">{text}</span>
        <span className="message-line" aria-hidden="true" />
      </button>
    </li>
  )
}
