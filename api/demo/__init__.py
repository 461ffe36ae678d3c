"""The whole of Clearance on one machine in half a minute: real photos, real HTTP, real gates."""
