import '../styles/tour.css'
import { COMPARE } from '../compare/compare-url.ts'
import { linkTo } from '../shared/navigation.ts'
import { TOUR } from './tour-steps.ts'
import { endTour, openStep, useTour } from './tour-store.ts'

/** Above every page while somebody is on the tour: what there is to be seen, and the way on. */
export function TourBar() {
  const tour = useTour()
  if (!tour) return null
  const { step, items } = tour
  const isLast = step === TOUR.length - 1
  const next = TOUR[step + 1]
  const missing = next?.missing(items)
  return (
    <section className="tour-bar" aria-label="Tour">
      <p role="status">
        <strong>
          {step + 1} of {TOUR.length} · {TOUR[step]!.title}.
        </strong>{' '}
        {tour.isOpening ? 'Opening …' : tour.text}
      </p>
      <div className="tour-ways">
        <button type="button" disabled={step === 0} onClick={() => void openStep(step - 1, items)}>
          Back
        </button>
        {!isLast && (
          <button
            type="button"
            className="primary"
            disabled={missing !== undefined}
            title={missing ?? next!.title}
            onClick={() => void openStep(step + 1, items)}
          >
            Next
          </button>
        )}
        {isLast && (
          <a className="button" {...linkTo(COMPARE)}>
            Traced and untraced
          </a>
        )}
        <button type="button" className={isLast ? 'primary' : 'quiet'} onClick={endTour}>
          {isLast ? 'Done' : 'End'}
        </button>
      </div>
    </section>
  )
}
