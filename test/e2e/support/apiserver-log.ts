// The log of kube-apiserver since a moment, from a file beside the kubeconfig or from its own pod.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { kubectl } from './kubectl.ts'

/** The log up to now; `undefined` if it cannot be read (a managed control plane). */
async function readLog(): Promise<string | undefined> {
  const folder = process.env.CLUSTER_STATE ?? dirname(process.env.KUBECONFIG ?? '')
  try {
    return await readFile(join(folder, 'log', 'kube-apiserver.log'), 'utf8')
  } catch {
    const { code, stdout } = await kubectl([
      'logs',
      '--namespace=kube-system',
      '--selector=component=kube-apiserver',
      '--tail=-1',
    ])
    return code === 0 && stdout !== '' ? stdout : undefined
  }
}

/** The lines of the log after a mark. */
export class ApiserverLog {
  readonly #length: number

  private constructor(length: number) {
    this.#length = length
  }

  /** Sets the mark to now. Returns `undefined` if the log cannot be read. */
  static async mark(): Promise<ApiserverLog | undefined> {
    const log = await readLog()
    return log === undefined ? undefined : new ApiserverLog(log.length)
  }

  /** Lines at level error (klog: `E0131 …`) since the mark that contain `text`. */
  async errors(text: string): Promise<readonly string[]> {
    const log = (await readLog()) ?? ''
    return log
      .slice(this.#length)
      .split('\n')
      .filter((line) => /^E\d{4} /.test(line) && line.includes(text))
  }
}
