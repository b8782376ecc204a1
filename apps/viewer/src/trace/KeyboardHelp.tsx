import '../styles/keyboard-help.css'
import { useEffect, useRef } from 'react'

const KEYS: readonly (readonly [string, string])[] = [
  ['↑ ↓ or k j', 'previous, next row'],
  ['PgUp PgDn Home End', 'a page, first and last row'],
  ['← →', 'collapse or parent, expand or child'],
  ['Space', 'collapse or expand'],
  ['[ ]', 'collapse, expand everything'],
  ['Enter', 'to the details, and Esc back'],
  ['e E', 'next, previous error'],
  ['h H', 'next, previous hop'],
  ['c C', 'next, previous row of the critical path'],
  ['r R', 'next, previous call that was retried'],
  ['/', 'find in names, tags and annotations'],
  ['n N', 'next, previous match'],
  ['+ − 0', 'zoom in, out, all'],
  ['z', 'zoom to the row'],
  ['< >', 'earlier, later'],
  ['Ctrl+wheel or drag', 'zoom with the mouse'],
  ['?', 'this help'],
]

/** The focus goes back by itself when it closes; `onClose` comes a task later, when it may have moved on. */
export function KeyboardHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} className="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">Keys on the timeline</h2>
      <dl>
        {KEYS.map(([keys, meaning]) => (
          <div key={keys}>
            <dt>{keys.split(' ').map(key => (/^(or|to)$/.test(key) ? ` ${key} ` : <kbd key={key}>{key}</kbd>))}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
