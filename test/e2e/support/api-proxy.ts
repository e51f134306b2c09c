// `kubectl proxy`, and GETs through it that are answered as `kubectl get --raw` answers them, without a process for each.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import * as v from 'valibot'
import type { Answer } from '../../../webhook/cli/input/cluster/answer.ts'

const StatusSchema = v.object({ reason: v.string(), message: v.string() })

/** Reasons that client-go gives to answers without one. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [503, 'ServiceUnavailable'],
])

export interface ApiProxy extends AsyncDisposable {
  get(path: string): Promise<Answer>
}

export async function startApiProxy(): Promise<ApiProxy> {
  const child = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) {
    const port = /^Starting to serve on 127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    child.stdout.resume()
    return {
      get: (path) => get(`http://127.0.0.1:${port}${path}`),
      async [Symbol.asyncDispose]() {
        child.kill()
        await ended
      },
    }
  }
  throw new Error('Cannot start kubectl proxy: it ended')
}

async function get(url: string): Promise<Answer> {
  const response = await fetch(url)
  const text = await response.text()
  if (response.ok) return { kind: 'text', text }
  const { reason, message } = statusIn(text) ?? {
    reason: REASONS.get(response.status) ?? 'InternalError',
    message: text.trim(),
  }
  return { kind: 'failure', reason: `Error from server (${reason}): ${message}` }
}

function statusIn(text: string): v.InferOutput<typeof StatusSchema> | undefined {
  try {
    const parsed = v.safeParse(StatusSchema, JSON.parse(text))
    return parsed.success ? parsed.output : undefined
  } catch {
    return undefined
  }
}
