// The OpenTelemetry SDK for Node; OTEL_… says whom it sends to and how.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { NodeSDK } from '@opentelemetry/sdk-node'

const sdk = new NodeSDK()
sdk.start()
const tracer = trace.getTracer('scope-of-node', '1.2')
const batch = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 }
const links = [{ context: batch, attributes: { reason: 'batch' } }]
const parent = tracer.startSpan('Order', { kind: SpanKind.SERVER, links })
const attributes = { 'peer.service': 'Node-Server', 'http.request.method': 'GET', sizes: [1, 2], ratio: 0.5 }
const options = { kind: SpanKind.CLIENT, attributes }
const call = tracer.startSpan('GET', options, trace.setSpan(context.active(), parent))
call.addEvent('cache miss', { key: 'k1' })
call.setStatus({ code: SpanStatusCode.ERROR, message: 'no stock' })
call.end()
parent.end()
await sdk.shutdown()
console.log(parent.spanContext().traceId)
