/** From an address to the first screen. */
import { render } from 'preact';
import type { BootstrapFunction } from '../client/types.ts';
import { putBack, takeArrival, type Arrival } from './arrival.ts';
import { findObstacle, readEnvironment, type Obstacle } from './environment.ts';
import { applyLook, applyTheme, readLook } from './look.ts';

const place = (): HTMLElement => {
  const found = document.getElementById('app');
  if (!found) throw new Error('the page has no place for the app');
  return found;
};

function show(node: Parameters<typeof render>[0]): void {
  const element = place();
  element.replaceChildren();
  render(node, element);
}

async function showObstacle(obstacle: Obstacle, arrival: Arrival, goOn: () => void): Promise<void> {
  if (obstacle.reason === 'in-app-browser') putBack(arrival);
  const { ObstaclePage } = await import('./screens/obstacle.tsx');
  show(<ObstaclePage obstacle={obstacle} arrival={arrival} goOn={goOn} />);
}

async function showApp(arrival: Arrival): Promise<void> {
  const [{ App }, { bootstrap }] = await Promise.all([import('./app.tsx'), import('../client/bootstrap.ts') as Promise<{ bootstrap: BootstrapFunction }>]);
  show(<App arrival={arrival} bootstrap={bootstrap} />);
}

export async function start(): Promise<void> {
  const arrival = takeArrival();
  const look = readLook();
  applyTheme(look.theme);
  const obstacle = findObstacle(readEnvironment());
  if (!obstacle) {
    await Promise.all([applyLook(look), showApp(arrival)].reverse());
    return;
  }
  await applyLook(look);
  await showObstacle(obstacle, arrival, () => {
    takeArrival();
    void showApp(arrival);
  });
}
