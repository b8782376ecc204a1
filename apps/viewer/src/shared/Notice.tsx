import type { ReactNode } from 'react'

/** An empty, failed or explaining state: what it is, then what to do about it. */
export function Notice({ kind, title, children }: { kind: 'empty' | 'error'; title: string; children?: ReactNode }) {
  return (
    <section className={`notice ${kind}`} role={kind === 'error' ? 'alert' : 'status'}>
      <h2>
        <span className="notice-mark" aria-hidden="true">
          {kind === 'error' ? '✕' : '◌'}
        </span>
        {title}
      </h2>
      {children}
    </section>
  )
}

/** A command that a reader copies. */
export function Command({ children }: { children: string }) {
  return (
    <pre className="command">
      <code>{children}</code>
    </pre>
  )
}
