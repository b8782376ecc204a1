import { openPasted } from './open-pasted.ts'

/** On every page: a trace's id opens it with Enter; an id or a trace's JSON that is pasted, at once. */
export function TraceIdField() {
  const open = (input: HTMLInputElement, text: string) => {
    if (!openPasted(text)) return false
    input.value = ''
    return true
  }
  return (
    <form
      onSubmit={event => {
        event.preventDefault()
        const input = event.currentTarget.elements[0] as HTMLInputElement
        open(input, input.value)
      }}
    >
      <input
        className="trace-id"
        aria-label="Open a trace by its id"
        title="16 or 32 hexadecimal digits"
        placeholder="Trace id, or paste a trace"
        pattern="\s*([0-9a-fA-F]{16}){1,2}\s*"
        autoComplete="off"
        spellCheck={false}
        onPaste={event => {
          if (open(event.currentTarget, event.clipboardData.getData('text'))) event.preventDefault()
        }}
      />
    </form>
  )
}
