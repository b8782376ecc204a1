import { apiUrl } from '../shared/navigation.ts'

/** The collector refused, or did not answer. `status` is absent when it did not. */
export class ApiError extends Error {
  readonly status: number | undefined

  constructor(message: string, status?: number) {
    super(message)
    this.name = 'ApiError'
    this.status = status
  }
}

export async function getJson<T>(
  path: string,
  parameters: Record<string, string | number | undefined>,
  signal?: AbortSignal,
  api: 'v2' | 'hopscope/v1' = 'v2',
): Promise<T> {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== '') search.set(name, String(value))
  }
  const query = search.toString()
  let response: Response
  try {
    response = await fetch(apiUrl(`api/${api}/${path}${query === '' ? '' : `?${query}`}`), {
      headers: { accept: 'application/json' },
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError('The collector does not answer.')
  }
  if (!response.ok) {
    const text = (await response.text()).slice(0, 300)
    throw new ApiError(messageOf(text) || `${response.status} ${response.statusText}`, response.status)
  }
  try {
    return (await response.json()) as T
  } catch {
    if (signal?.aborted) throw new ApiError('aborted')
    throw new ApiError(`${path}: the answer is not JSON. Is this address a collector?`, response.status)
  }
}

/** Our own API says `{code, message}`, Zipkin's a line of text. */
function messageOf(text: string): string {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message : text
  } catch {
    return text
  }
}
