import type { Reason } from './why-slow.ts'

/** Why the trace took so long, in sentences; each leads to the row that shows it. */
export function Reasons({ reasons, onShow }: { reasons: readonly Reason[]; onShow: (span: number) => void }) {
  if (reasons.length === 0) return null
  return (
    <details className="reasons" open={!matchMedia('(max-width: 600px)').matches}>
      <summary>Why did it take so long?</summary>
      <ol>
        {reasons.map(reason => (
          <li key={reason.lead + reason.text}>
            <button type="button" onClick={() => onShow(reason.span)}>
              <strong>{reason.lead}</strong> {reason.text}
            </button>
          </li>
        ))}
      </ol>
    </details>
  )
}
