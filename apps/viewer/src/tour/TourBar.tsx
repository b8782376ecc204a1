import { useEffect } from 'react'
import '../styles/tour.css'
import { COMPARE } from '../compare/compare-url.ts'
import { linkTo } from '../shared/navigation.ts'
import { TOUR } from './tour-steps.ts'
import { endTour, lookAgain, openStep, useTour } from './tour-store.ts'

const LOOK_AGAIN_MS = 2_000

/** Above every page while somebody is on the tour: what there is to be seen, and the way on. */
export function TourBar() {
  const tour = useTour()
  const next = tour && TOUR[tour.step + 1]
  const missing = tour && next?.missing(tour.items)
  const isWaiting = missing !== undefined
  useEffect(() => {
    if (!isWaiting) return
    const controller = new AbortController()
    // A collector that is away has nothing new, and is asked again.
    const timer = setInterval(() => lookAgain(controller.signal).catch(() => {}), LOOK_AGAIN_MS)
    return () => {
      controller.abort()
      clearInterval(timer)
    }
  }, [isWaiting])
  if (!tour) return null
  const { step, items } = tour
  const isLast = step === TOUR.length - 1
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
            disabled={isWaiting}
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
