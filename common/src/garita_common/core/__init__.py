"""Values and rules that more than one service needs: no socket, clock, environment or random source."""
