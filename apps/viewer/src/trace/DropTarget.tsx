import { useEffect, useState } from 'react'
import { openPasted } from './open-pasted.ts'
import { openFile } from './opened-file.ts'

/**
 * Any page takes a file that is dropped on it, and a trace's id or JSON that is pasted outside of a field; while a file is held
 * over the window, it says so.
 */
export function DropTarget() {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    const ending = new AbortController()
    const { signal } = ending
    const hasFile = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    addEventListener(
      'dragover',
      event => {
        if (!hasFile(event)) return
        event.preventDefault()
        setOver(true)
      },
      { signal },
    )
    addEventListener('dragleave', event => event.relatedTarget === null && setOver(false), { signal })
    addEventListener(
      'drop',
      event => {
        setOver(false)
        const file = event.dataTransfer?.files[0]
        if (!file) return
        event.preventDefault()
        void openFile(file)
      },
      { signal },
    )
    addEventListener(
      'paste',
      event => {
        if (event.target instanceof Element && event.target.closest('input, textarea')) return
        const file = event.clipboardData?.files[0]
        if (file) void openFile(file)
        else if (!openPasted(event.clipboardData?.getData('text') ?? '')) return
        event.preventDefault()
      },
      { signal },
    )
    return () => ending.abort()
  }, [])
  return isOver ? (
    <div className="drop-target" aria-hidden="true">
      <p>Drop to open the trace</p>
    </div>
  ) : null
}
