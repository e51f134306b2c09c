// `flux-metrics dashboard` as a user starts it, and its answers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parse, stringify } from 'yaml'
import type { ListState, MiniClusterState } from '../../../webhook/cli/dashboard/data.ts'
import { ROOT } from '../../support/imports.ts'
import type { Member } from './members.ts'

export class RunningDashboard implements AsyncDisposable {
  readonly url: string
  readonly #end: () => Promise<number>

  private constructor(url: string, end: () => Promise<number>) {
    this.url = url
    this.#end = end
  }

  static async start(args: readonly string[] = []): Promise<RunningDashboard> {
    const main = join(ROOT, 'webhook/cli/main.ts')
    const child = spawn(process.execPath, [main, 'dashboard', '--no-open', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    const end = async () => {
      child.kill('SIGTERM')
      const [code] = await ended
      return Number(code)
    }
    for await (const line of createInterface(child.stdout)) return new RunningDashboard(line, end)
    throw new Error('Cannot start the dashboard: it printed no address')
  }

  async list(): Promise<ListState> {
    return this.#ask('data/list')
  }

  async state({ namespace, name }: Member): Promise<MiniClusterState> {
    return this.#ask(`data/state?${new URLSearchParams({ namespace, name })}`)
  }

  async hpa({ namespace, name }: Member, metric: string): Promise<{ readonly yaml?: string }> {
    return this.#ask(`data/hpa?${new URLSearchParams({ namespace, name, metric })}`)
  }

  /** @returns its exit code */
  async end(): Promise<number> {
    return this.#end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  async #ask<T>(path: string): Promise<T> {
    const response = await fetch(`${this.url}${path}`)
    const answer: T = await response.json()
    return answer
  }
}

/** A kubeconfig like that of the test, for another user of its cluster. The file is there until disposed. */
export async function kubeconfigAs(
  user: string,
): Promise<AsyncDisposable & { readonly path: string }> {
  const config = parse(await readFile(process.env.KUBECONFIG ?? '', 'utf8'))
  for (const one of config.users) one.user = { ...one.user, as: user }
  const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-'))
  const path = join(folder, 'config')
  await writeFile(path, stringify(config), { mode: 0o600 })
  return { path, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}
