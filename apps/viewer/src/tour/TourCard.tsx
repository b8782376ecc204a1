import '../styles/tour.css'
import type { TraceItem } from '../api/trace-item.ts'
import { COMPARE } from '../compare/compare-url.ts'
import { linkTo } from '../shared/navigation.ts'
import { TOUR } from './tour-steps.ts'
import { openStep, useTour } from './tour-store.ts'

/** The five steps, beside the new traces; each waits until the mesh has shown what it is about. */
export function TourCard({ items }: { items: readonly TraceItem[] }) {
  const tour = useTour()
  if (tour) return null
  return (
    <aside className="tour-card" aria-labelledby="tour-title">
      <h2 id="tour-title">What is going on here?</h2>
      <p className="muted">Five steps, with the traces of the mesh that runs.</p>
      <ol>
        {TOUR.map((step, i) => {
          const missing = step.missing(items)
          return (
            <li key={step.title}>
              <button type="button" disabled={missing !== undefined} onClick={() => void openStep(i, items)}>
                <span className="tour-number" aria-hidden="true">
                  {i + 1}
                </span>
                <span>
                  {step.title}
                  {missing !== undefined && <span className="muted">{missing}</span>}
                </span>
              </button>
            </li>
          )
        })}
      </ol>
      <p className="tour-more">
        <a {...linkTo(COMPARE)}>Traced and untraced: what does it cost?</a>
      </p>
    </aside>
  )
}
