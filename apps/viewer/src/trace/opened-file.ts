import { useSyncExternalStore } from 'react'
import { navigate } from '../shared/navigation.ts'
import type { TraceSource } from './worker-protocol.ts'

/** A file somebody chose or dropped; it is read in this browser and goes nowhere. */
export interface OpenedFile {
  name: string
  source: TraceSource
}

let opened: OpenedFile | undefined
const listeners = new Set<() => void>()

export function useOpenedFile(): OpenedFile | undefined {
  return useSyncExternalStore(
    listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => opened,
  )
}

/** Shows the file's trace, whatever page was on screen. */
export async function openFile(file: File): Promise<void> {
  put({ name: file.name, source: { bytes: await file.arrayBuffer() } })
  navigate({ page: 'open' })
}

export function closeFile(): void {
  put(undefined)
}

function put(file: OpenedFile | undefined): void {
  opened = file
  for (const listener of listeners) listener()
}
