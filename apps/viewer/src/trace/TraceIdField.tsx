import { useState } from 'react'
import { openPasted } from './open-pasted.ts'

/** On every page: a trace's id opens it with Enter; an id or a trace's JSON that is pasted, at once. */
export function TraceIdField() {
  const [text, setText] = useState('')
  const [isWrong, setWrong] = useState(false)
  const open = (pasted: string) => {
    if (!openPasted(pasted)) return false
    setText('')
    return true
  }
  return (
    <form
      className="trace-id-field"
      onSubmit={event => {
        event.preventDefault()
        setWrong(!open(text))
      }}
    >
      <input
        type="text"
        aria-label="Open a trace by its id"
        aria-invalid={isWrong}
        aria-describedby={isWrong ? 'trace-id-problem' : undefined}
        placeholder="Trace id, or paste a trace"
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        value={text}
        onChange={event => {
          setText(event.target.value)
          setWrong(false)
        }}
        onPaste={event => {
          if (open(event.clipboardData.getData('text'))) event.preventDefault()
        }}
      />
      {isWrong && (
        <p id="trace-id-problem" role="alert">
          An id has 16 or 32 hexadecimal digits.
        </p>
      )}
    </form>
  )
}
