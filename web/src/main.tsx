import './ui/styles/base.css';
import './ui/styles/app.css';
import './ui/styles/chat.css';
import { start } from './ui/start.tsx';

void start();
