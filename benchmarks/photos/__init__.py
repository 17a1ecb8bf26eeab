"""How well photos are judged: blur, enlargement, the same shot, readiness; on real photographs."""
