import { type ComponentType, useEffect, useState } from 'react'
import { Notice } from './Notice.tsx'

/** A component whose code is a file of its own. */
export interface LateComponent<Props> {
  (props: Props): React.ReactNode
  /** Loads it before it is drawn, so that it is there at once. */
  open(): Promise<void>
}

/**
 * Without `Suspense`, which holds what has come back until 300 ms after it showed that it waits: longer than all else that
 * the start of a page takes.
 */
export function late<Props extends object>(load: () => Promise<ComponentType<Props>>): LateComponent<Props> {
  let Loaded: ComponentType<Props> | undefined
  let loading: Promise<void> | undefined
  const open = () => {
    loading ??= load().then(component => {
      Loaded = component
    })
    return loading
  }
  function Late(props: Props) {
    const [state, setState] = useState<'waiting' | 'there' | 'failed'>('waiting')
    useEffect(() => {
      if (Loaded) return
      let isCurrent = true
      open().then(
        () => isCurrent && setState('there'),
        () => isCurrent && setState('failed'),
      )
      return () => {
        isCurrent = false
      }
    }, [])
    if (Loaded) return <Loaded {...props} />
    if (state === 'waiting') return <p className="opening sr-only">Opening …</p>
    return (
      <Notice kind="error" title="This part of the viewer did not come">
        <p>The collector is out of reach, or has another version of the viewer by now.</p>
        <button type="button" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </Notice>
    )
  }
  return Object.assign(Late, { open })
}
