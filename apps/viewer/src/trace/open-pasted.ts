import { isTraceId } from '../compare/compare-url.ts'
import { navigate } from '../shared/navigation.ts'
import { openFile } from './opened-file.ts'
import { traceRoute } from './trace-url.ts'

/** Shows what a text names or is: a trace by its id, or one from its JSON. False: neither. */
export function openPasted(text: string): boolean {
  const id = text.trim()
  if (isTraceId(id)) {
    navigate(traceRoute(id.toLowerCase()))
    return true
  }
  if (!/^[[{]/.test(id)) return false
  void openFile(new File([text], 'pasted.json'))
  return true
}
