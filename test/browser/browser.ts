import { existsSync } from 'node:fs';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** The browser and what its page complained about. */
export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the console, of scripts and of the content security policy. */
  readonly complaints: string[];
}

/** Starts Chromium; throws with the cure where it is missing. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.TIDELINE_TEST_CHROMIUM || '/usr/bin/chromium';
  if (!existsSync(executablePath))
    throw new Error(
      `There is no Chromium at ${executablePath}: install it ('apt-get install chromium') or name it with TIDELINE_TEST_CHROMIUM.`,
    );
  // Chromium's sandbox does not start for root.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ['--no-sandbox'] : [] });
}

export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
