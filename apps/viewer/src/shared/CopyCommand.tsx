import { useState } from 'react'

/** A command, and a button that copies it. */
export function CopyCommand({ children }: { children: string }) {
  const [isCopied, setCopied] = useState(false)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(children)
      setCopied(true)
      setTimeout(() => setCopied(false), 1_500)
    } catch {
      // Not allowed here: the text is selected as a whole by a click.
    }
  }
  return (
    <div className="copy-command">
      <pre className="command">
        <code>{children}</code>
      </pre>
      <button type="button" className="quiet" onClick={() => void copy()}>
        {isCopied ? 'Copied' : 'Copy'}
        <span className="sr-only"> the command</span>
      </button>
    </div>
  )
}
