// What `flux-metrics adopt` writes for an installation, applied and taken back with the commands of docs/install/ADAPTERS.md.
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { parse, stringify } from 'yaml'
import { type Installation, images, run } from './installation.ts'

const CLI = join(import.meta.dirname, '../../../webhook/cli/main.ts')

export class Overlay {
  /** What the command has printed. */
  readonly output: string
  readonly #folder: string

  private constructor(folder: string, output: string) {
    this.#folder = folder
    this.output = output
  }

  /** Writes it beside the installation's manifests, with the images under test. */
  static async write({ folder }: Installation): Promise<Overlay> {
    const args = [CLI, 'adopt', '--external', '--registry', 'localhost', '-o', 'overlay']
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder })
    const overlay = join(folder, 'overlay')
    const file = join(overlay, 'kustomization.yaml')
    const written = parse(await readFile(file, 'utf8'))
    await writeFile(file, stringify({ ...written, images: images() }))
    return new Overlay(overlay, stdout)
  }

  async apply(): Promise<void> {
    await run(['apply', '-k', this.#folder])
  }

  /** Gives the APIServices back. */
  async giveBack(): Promise<void> {
    await run(['replace', '-f', join(this.#folder, 'way-back.yaml')])
  }

  async uninstall(): Promise<void> {
    await run(['delete', '-k', this.#folder])
  }
}
