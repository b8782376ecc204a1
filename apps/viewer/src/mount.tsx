import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'

export function mount(element: Element): void {
  createRoot(element).render(
    <StrictMode>
      <App />
    </StrictMode>,
  )
}
