/** From an address to the first screen. */
import { render } from 'preact';
import { putBack, takeArrival, type Arrival } from './arrival.ts';
import { App } from './app.tsx';
import { findObstacle, readEnvironment, type Obstacle } from './environment.ts';
import { applyLook, applyTheme, readLook } from './look.ts';
import { loadLater } from './text/index.ts';

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
  const [{ ObstaclePage }] = await Promise.all([import('./screens/obstacle.tsx'), loadLater()]);
  show(<ObstaclePage obstacle={obstacle} arrival={arrival} goOn={goOn} />);
}

/** Words and client come at the same time; nothing is shown before both are there. */
async function showApp(arrival: Arrival, look: Promise<void>): Promise<void> {
  const [{ bootstrap }] = await Promise.all([import('../client/bootstrap.ts'), look]);
  show(<App arrival={arrival} bootstrap={bootstrap} />);
}

export async function start(): Promise<void> {
  const arrival = takeArrival();
  const chosen = readLook();
  applyTheme(chosen.theme);
  const look = applyLook(chosen);
  const obstacle = findObstacle(readEnvironment());
  if (!obstacle) return showApp(arrival, look);
  await look;
  return showObstacle(obstacle, arrival, () => {
    takeArrival();
    void showApp(arrival, look);
  });
}
