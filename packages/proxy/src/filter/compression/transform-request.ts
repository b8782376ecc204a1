import type { Exchange, RequestHandler } from '../../http/exchange.ts'
import type { BodyTransform, TransformTarget } from './body-transform.ts'

/** A handler in front of `handler` that gets the body of a request through what `start` makes, and has the client wait where that is slow. */
export function transformRequest(
  exchange: Exchange,
  handler: RequestHandler,
  start: (target: TransformTarget) => BodyTransform,
): RequestHandler {
  const transform = start({
    data: chunk => handler.onData(chunk),
    end: () => handler.onEnd(),
    drained: () => exchange.resumeRequest(),
  })
  return {
    onData: chunk => {
      if (!transform.write(chunk)) exchange.pauseRequest()
    },
    onEnd: () => transform.end(),
    onDrain: () => handler.onDrain(),
    onCancel: () => {
      transform.stop()
      handler.onCancel()
    },
  }
}
