import { parseTypedQuery } from '@hopscope/model'
import { type KeyboardEvent, type Ref, useId, useImperativeHandle, useRef, useState } from 'react'
import { isTraceId } from '../compare/compare-url.ts'
import { applyCompletion, type Completions, completionsAt, type KnownNames } from './complete.ts'

/** One line for a typed query or a trace's id, with what may come next below it; Enter sends it. */
export function QueryBox(props: {
  label: string
  text: string
  names: KnownNames
  placeholder?: string
  /** What is typed, also while it cannot be read. */
  onType: (text: string) => void
  onSubmit: (text: string) => void
  ref?: Ref<{ focus: () => void }>
}) {
  const { text, names } = props
  const input = useRef<HTMLInputElement>(null)
  const id = useId()
  const [caret, setCaret] = useState<number>()
  const [chosen, setChosen] = useState(-1)
  useImperativeHandle(props.ref, () => ({ focus: () => input.current?.focus() }), [])
  const at: Completions | undefined = caret === undefined ? undefined : completionsAt(text, caret, names)
  const options = at?.options ?? []
  const isOpen = options.length > 0
  const problems = isTraceId(text) ? [] : parseTypedQuery(text).problems

  const close = () => {
    setCaret(undefined)
    setChosen(-1)
  }
  const take = (index: number) => {
    const option = options[index]
    if (!at || !option) return
    const next = applyCompletion(text, at, option)
    props.onType(next.text)
    setChosen(-1)
    setCaret(next.caret)
    requestAnimationFrame(() => {
      input.current?.focus()
      input.current?.setSelectionRange(next.caret, next.caret)
    })
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter') {
      event.preventDefault()
      if (chosen >= 0) return take(chosen)
      close()
      return props.onSubmit(text)
    }
    if (event.key === 'Escape' && isOpen) {
      event.preventDefault()
      return close()
    }
    if (event.key === 'Tab' && !event.shiftKey && chosen >= 0) {
      event.preventDefault()
      return take(chosen)
    }
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step === 0) return
    event.preventDefault()
    if (!isOpen) setCaret(input.current?.selectionStart ?? text.length)
    else setChosen(last => ((last + 1 + step + options.length + 1) % (options.length + 1)) - 1)
  }
  return (
    <div className="query-box">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label={props.label}
        aria-expanded={isOpen}
        aria-controls={`${id}list`}
        aria-autocomplete="list"
        aria-activedescendant={isOpen && chosen >= 0 ? `${id}option${chosen}` : undefined}
        aria-invalid={problems.length > 0}
        aria-describedby={problems.length > 0 ? `${id}problem` : undefined}
        autoComplete="off"
        autoCapitalize="off"
        spellCheck={false}
        placeholder={props.placeholder}
        value={text}
        onChange={event => {
          props.onType(event.target.value)
          setCaret(event.target.selectionStart ?? event.target.value.length)
          setChosen(-1)
        }}
        onClick={event => setCaret(event.currentTarget.selectionStart ?? 0)}
        onKeyDown={onKeyDown}
        onBlur={close}
      />
      <div id={`${id}list`} role="listbox" aria-label="What may stand here" hidden={!isOpen} className="options">
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive: the focus stays in the box, aria-activedescendant tells
          // biome-ignore lint/a11y/useKeyWithClickEvents: the box has the keys
          <div
            key={option.text}
            id={`${id}option${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerDown={event => event.preventDefault()}
            onClick={() => take(index)}
          >
            <code>{option.text}</code> <span className="muted">{option.detail}</span>
          </div>
        ))}
      </div>
      {problems.length > 0 && caret === undefined && (
        <p id={`${id}problem`} className="form-problem" role="alert">
          {problems.map(({ message }) => message).join(' ')}
        </p>
      )}
    </div>
  )
}
