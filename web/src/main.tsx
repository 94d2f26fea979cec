import './ui/styles/base.css';
import { start } from './ui/start.tsx';

void start();
